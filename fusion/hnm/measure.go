package hnm

import (
	"context"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/fusion/cluster"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/score"
)

// Details are what the figures of a model follow from: the relations of the
// annotated concepts, per document.
type Details struct {
	Pairs     int           `json:"pairs"`     // that were classified
	Relations score.Counts  `json:"relations"` // summed over the labels
	Labels    score.ByLabel `json:"labels"`    // no relation is not one of them
	Clusters  Clusters      `json:"clusters"`
}

// Clusters compare clusters of the vectors of the annotated relations, by k-means
// with as many clusters as labels occur, with these labels.
type Clusters struct {
	Relations int     `json:"relations"`
	Labels    int     `json:"labels"`
	ARI       float64 `json:"ari"` // see cluster.AdjustedRandIndex
}

// reading is an annotated text with what the network makes of its pairs.
type reading struct {
	example
	judged []judgement
}

// read reads the pairs of the annotated concepts of each text of a corpus.
func (m *Model) read(ctx context.Context, gold corpus.Corpus) ([]reading, error) {
	readings := make([]reading, len(gold.Examples))
	for i, e := range gold.Examples {
		x := m.cfg.label(m.tokenizer, e)
		judged, err := m.judge(ctx, x.text, x.pairs)
		if err != nil {
			return nil, fmt.Errorf("text %s: %w", e.ID, err)
		}
		readings[i] = reading{x, judged}
	}
	return readings, nil
}

// Measure classifies the pairs of annotated concepts of a corpus. The measures are
// means over the labels; the details are [Details].
func (m *Model) Measure(ctx context.Context, gold corpus.Corpus) (results.Protocol, error) {
	readings, err := m.read(ctx, gold)
	if err != nil {
		return results.Protocol{}, err
	}
	labels := m.cfg.count(readings, m.cfg.RelationThreshold)
	vectors := m.cfg.vectors(readings)
	d := Details{Relations: labels.Micro(), Labels: labels, Clusters: clustersOf(vectors.Points, vectors.Labels)}
	for _, r := range readings {
		d.Pairs += len(r.pairs)
	}
	figures := append(results.Figures("relations of given entities, macro", labels.Macro()),
		results.Figure{Name: "clusters of relations, adjusted Rand index", Value: d.Clusters.ARI})
	return results.Protocol{Figures: figures, Details: d}, nil
}

// Vectors are the vectors of the annotated relations of a corpus, with their labels.
func (m *Model) Vectors(ctx context.Context, gold corpus.Corpus) (cluster.Labelled, error) {
	readings, err := m.read(ctx, gold)
	if err != nil {
		return cluster.Labelled{}, err
	}
	vectors := m.cfg.vectors(readings)
	vectors.Title = fmt.Sprintf("%s, ARI %.3f", m.info.Name, clustersOf(vectors.Points, vectors.Labels).ARI)
	return vectors, nil
}

// count compares the relations that reach a threshold with the annotated ones, those
// of labels that the model never heard of too.
func (c Config) count(readings []reading, threshold float64) score.ByLabel {
	labels := score.ByLabel{}
	add := func(class int, counts score.Counts) {
		if class != none {
			labels[c.RelationLabels[class-1]] = labels[c.RelationLabels[class-1]].Add(counts)
		}
	}
	for _, r := range readings {
		for i, want := range r.classes {
			got := none
			if r.judged[i].related() >= threshold {
				got = r.judged[i].label()
			}
			if got == want {
				add(got, score.Counts{TP: 1})
				continue
			}
			add(got, score.Counts{FP: 1})
			add(want, score.Counts{FN: 1})
		}
		for _, label := range r.missed {
			labels[label] = labels[label].Add(score.Counts{FN: 1})
		}
	}
	return labels
}

// vectors are those of the pairs that are annotated as related.
func (c Config) vectors(readings []reading) cluster.Labelled {
	var v cluster.Labelled
	for _, r := range readings {
		for i, class := range r.classes {
			if class == none {
				continue
			}
			point := make([]float64, len(r.judged[i].vector))
			for d, x := range r.judged[i].vector {
				point[d] = float64(x)
			}
			v.Points, v.Labels = append(v.Points, point), append(v.Labels, c.RelationLabels[class-1])
		}
	}
	return v
}

// clustersOf compares clusters of vectors with labels.
func clustersOf(points [][]float64, labels []string) Clusters {
	names := slices.Compact(slices.Sorted(slices.Values(labels)))
	classes := make([]int, len(labels))
	for i, label := range labels {
		classes[i] = slices.Index(names, label)
	}
	const seed = 1
	return Clusters{len(points), len(names), cluster.AdjustedRandIndex(cluster.KMeans(points, len(names), seed), classes)}
}
