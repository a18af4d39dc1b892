package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/system"
)

var corpusHelp = "form of the corpus: " + strings.Join(corpus.Names(), ", ")

// readCorpus reads a corpus. Where invalid texts are to be skipped they are named
// and counted.
func readCorpus(name, path string, skipInvalid bool, stderr io.Writer) (corpus.Corpus, error) {
	skipped := 0
	var reader corpus.Reader
	if skipInvalid {
		reader.Invalid = func(err error) {
			skipped++
			fmt.Fprintf(stderr, "skipped %v\n", err)
		}
	}
	c, err := reader.Read(name, path)
	if skipped > 0 {
		fmt.Fprintf(stderr, "%s: %d texts were skipped, %d were read\n", path, skipped, len(c.Examples))
	}
	return c, err
}

// readSource reads a corpus.
func readSource(name, path string, skipInvalid bool, stderr io.Writer) (s source, err error) {
	if s.all, err = readCorpus(name, path, skipInvalid, stderr); err != nil {
		return s, err
	}
	s.data, err = results.Describe(path)
	return s, err
}

// trainingSets are those of all corpora. None has a text in it that must stay unseen, or
// that another holds out.
func (r recipe) trainingSets(m material, stderr io.Writer) (first system.Set, more []system.Set, err error) {
	sources := m.sources()
	sets, heldOut := make([]system.Set, len(sources)), make([]corpus.Corpus, len(sources))
	for i, s := range sources {
		if s.all, err = withoutUnseen(s.all, corporaOf(m.unseen), "texts that must stay unseen", stderr); err != nil {
			return first, nil, err
		}
		if sets[i], err = r.divide(s); err != nil {
			return first, nil, err
		}
		heldOut[i] = sets[i].HeldOut
	}
	for i, s := range sources {
		others := slices.Delete(slices.Clone(heldOut), i, i+1)
		if sets[i].Train, err = withoutUnseen(sets[i].Train, others, "what another corpus holds out", stderr); err != nil {
			return first, nil, err
		}
		if sets[i], err = r.readable(sets[i], s.data.Name, stderr); err != nil {
			return first, nil, err
		}
		r.tellSet(sets[i], s.data.Name, stderr)
	}
	return sets[0], sets[1:], nil
}

// tellSet tells what is learned from, and how much is held out.
func (r recipe) tellSet(set system.Set, name string, stderr io.Writer) {
	if r.quiet {
		return
	}
	entities, relations := 0, 0
	for _, e := range set.Train.Examples {
		entities, relations = entities+len(e.Entities), relations+len(e.Relations)
	}
	fmt.Fprintf(stderr, "%s: learning from %d %s with %d entities and %d relations of mentions; %d texts are held out\n",
		name, len(set.Train.Examples), unitOf(r.settings.Traits()), entities, relations, len(set.HeldOut.Examples))
}

// unitOf is what a system learns from.
func unitOf(traits system.Traits) string {
	switch traits.Sentences {
	case 0:
		return "documents"
	case 1:
		return "sentences"
	}
	return fmt.Sprintf("windows of %d sentences", traits.Sentences)
}

// withoutUnseen leaves out what shares a sentence with other texts, which why tells.
func withoutUnseen(c corpus.Corpus, unseen []corpus.Corpus, why string, stderr io.Writer) (corpus.Corpus, error) {
	rest, left := c.Without(unseen...)
	if left == 0 {
		return c, nil
	}
	fmt.Fprintf(stderr, "%s: %d of %d texts were left out: they share sentences with %s\n", c.Name, left, len(c.Examples), why)
	if len(rest.Examples) == 0 {
		return rest, usageError("%s: nothing is left to learn from: all texts share sentences with %s", c.Name, why)
	}
	return rest, nil
}

// divide holds texts out.
func (r recipe) divide(s source) (set system.Set, err error) {
	set.Names = s.names
	set.Train, set.HeldOut = s.all.Split(r.heldOut, r.train.Seed)
	if len(set.Train.Examples) == 0 || (len(set.HeldOut.Examples) == 0) != (r.heldOut == 0) {
		return set, usageError("%s: --held-out %g of %d texts leaves none to learn from or to compare on: hold out another share, or none by --held-out 0", s.data.Name, r.heldOut, len(s.all.Examples))
	}
	return set, nil
}

// readable cuts the texts to learn from into what the variant reads at once, and looks
// whether there is something to learn.
func (r recipe) readable(set system.Set, name string, stderr io.Writer) (_ system.Set, err error) {
	if r.settings.Traits().Sentences > 0 {
		if set.Train, err = r.cut(set.Train, stderr); err != nil {
			return set, err
		}
	}
	if len(set.Train.CountTypes()) == 0 {
		return set, fmt.Errorf("%s: no entity is annotated in the %d texts to learn from", name, len(set.Train.Examples))
	}
	return set, nil
}

// cut divides documents into sentences, or windows of several, that the encoder can read.
func (r recipe) cut(c corpus.Corpus, stderr io.Writer) (corpus.Corpus, error) {
	tokenizer, err := encoder.LoadTokenizer(r.encoder)
	if err != nil {
		return c, err
	}
	config, err := encoder.LoadConfig(r.encoder)
	if err != nil {
		return c, err
	}
	longest, traits := config.MaxPositionEmbeddings-2, r.settings.Traits() // without [CLS] and [SEP]
	c, lost := c.InWindows(traits.Sentences, func(text string) bool {
		return len(tokenizer.Tokenize(text)) <= min(longest, traits.Pieces)
	})
	if lost.Unnamed > 0 {
		fmt.Fprintf(stderr, "%s: %d relations are of concepts that no entity of their document has: they are not learned; look at the ids of the entities\n", c.Name, lost.Unnamed)
	}
	if lost.Loops > 0 {
		fmt.Fprintf(stderr, "%s: %d relations are of a mention with itself: they are not learned\n", c.Name, lost.Loops)
	}
	if lost.Entities > 0 || lost.Relations > 0 {
		together := "a sentence"
		if traits.Sentences > 1 {
			together = fmt.Sprintf("the %d sentences that are read together", traits.Sentences)
		}
		fmt.Fprintf(stderr, "%s: of what is annotated, %d entities and %d relations do not lie within %s: they are not learned\n", c.Name, lost.Entities, lost.Relations, together)
	}
	return r.withoutTooLong(c, tokenizer, longest, stderr)
}

// withoutTooLong looks for sentences with more word pieces than the encoder reads at once.
func (r recipe) withoutTooLong(c corpus.Corpus, tokenizer *encoder.Tokenizer, longest int, stderr io.Writer) (corpus.Corpus, error) {
	var fitting []corpus.Example
	for _, e := range c.Examples {
		pieces := 0
		if len(e.Text) > longest { // no piece is shorter than a byte
			pieces = len(tokenizer.Tokenize(e.Text))
		}
		if pieces <= longest {
			fitting = append(fitting, e)
			continue
		}
		tooLong := fmt.Errorf("%s: the sentence %q has %d word pieces, the encoder reads %d", e.Place(), e.ID, pieces, longest)
		if !r.skipInvalid {
			return c, errors.Join(tooLong, errors.New("divide it, or pass over such sentences with --skip-invalid"))
		}
		fmt.Fprintf(stderr, "skipped %v\n", tooLong)
	}
	if skipped := len(c.Examples) - len(fitting); skipped > 0 {
		fmt.Fprintf(stderr, "%d sentences were skipped, %d are learned from\n", skipped, len(fitting))
	}
	c.Examples = fitting
	return c, nil
}
