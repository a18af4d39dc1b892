package remedi

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/fusion/tagging"
	"github.com/keci-kg/keci/internal/parallel"
)

// Details are what the figures of a model follow from: both of its models classify
// word pieces, and these are the counts of each class.
type Details struct {
	Instances int           `json:"instances"` // sentences and concatenations of two to four of them
	Tags      score.ByLabel `json:"tags"`      // of each piece: O, B and I of each type
	Groups    score.ByLabel `json:"groups"`    // of each piece of the texts with the annotated mentions masked: 0 for none, 1 to 4
}

// Measure measures the model on a corpus as REmediNER does: on the sentences in
// which no mentions overlap and on concatenations of two, of three and of four of
// them, a third of the sentences each, drawn with a fixed seed. The groups are
// those of annotated mentions, whatever the tagger finds. The measures are means over
// the classes that occur; the details are [Details].
func (m *Model) Measure(ctx context.Context, gold corpus.Corpus) (results.Protocol, error) {
	gold, _ = gold.InSentences()
	examples := augment(m.cfg.examples(m.tokenizer, gold), DefaultSettings().Concatenations, rand.New(rand.NewPCG(0, 0)))
	parts, err := parallel.Map(ctx, examples, m.countClasses)
	if err != nil {
		return results.Protocol{}, fmt.Errorf("measure by the protocol of %s: %w", Variant, err)
	}
	d := Details{Instances: len(examples), Tags: score.ByLabel{}, Groups: score.ByLabel{}}
	for _, part := range parts {
		addTo(d.Tags, part.tags)
		addTo(d.Groups, part.groups)
	}
	figures := append(results.Figures("tags of word pieces, macro", d.Tags.Macro()),
		results.Figures("groups of given mentions, by word pieces, macro", d.Groups.Macro())...)
	return results.Protocol{Figures: figures, Details: d}, nil
}

// counted are the counts of one example.
type counted struct{ tags, groups score.ByLabel }

// countClasses classifies the pieces of an example, as it is and with its mentions
// masked, and counts what is right.
func (m *Model) countClasses(ctx context.Context, x example) (c counted, err error) {
	l := m.labelled(x)
	tags, err := m.classify(ctx, m.tagger, l.text)
	if err != nil {
		return c, err
	}
	groups, err := m.classify(ctx, m.grouper, l.masked)
	if err != nil {
		return c, err
	}
	return counted{countClasses(tags, l.tags, m.cfg.tagNames()), countClasses(groups, l.groups, m.cfg.groupNames())}, nil
}

// countClasses compares the most probable class of each piece with the annotated one.
func countClasses(probabilities []float32, classes []int32, names []string) score.ByLabel {
	counts := score.ByLabel{}
	add := func(class int, as score.Counts) { counts[names[class]] = counts[names[class]].Add(as) }
	for p, class := range classes {
		if class == leftOut {
			continue
		}
		row := probabilities[p*len(names) : (p+1)*len(names)]
		if best := slices.Index(row, slices.Max(row)); best == int(class) {
			add(best, score.Counts{TP: 1})
		} else {
			add(best, score.Counts{FP: 1})
			add(int(class), score.Counts{FN: 1})
		}
	}
	return counts
}

func addTo(total, part score.ByLabel) {
	for name, c := range part {
		total[name] = total[name].Add(c)
	}
}

func (c Config) tagNames() []string {
	names := []string{"O"}
	for _, typ := range c.EntityTypes {
		names = append(names, "B-"+typ, "I-"+typ)
	}
	return names[:tagging.Count(len(c.EntityTypes))]
}

func (c Config) groupNames() []string {
	names := make([]string, 1+c.Groups)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}
