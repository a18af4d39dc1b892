// Package kge makes knowledge-graph embeddings: vectors of the concepts, semantic
// types and relations of a knowledge base, learned from its relations alone. The
// score of a relation is that of ComplEx (Trouillon et al. 2016).
//
// Vectors that belong to the concepts of a knowledge base would be of no use with
// another. So, as in BLP (Daza et al. 2021), the vector of a concept is a function
// of what is said of it – name, semantic types, definition – and it is this
// function that is learned. It gives vectors to the concepts of any knowledge base.
package kge

import (
	"errors"
	"fmt"
)

// Options say how to learn embeddings.
type Options struct {
	Size      int     `json:"size"`      // numbers in a vector, half of them real and half imaginary parts
	Steps     int     `json:"steps"`     // of the optimizer
	Batch     int     `json:"batch"`     // triples in a step
	Negatives int     `json:"negatives"` // sampled tails that the triples of a step share
	Rate      float64 `json:"rate"`      // highest learning rate of Adam, which falls to 0 in the course
	N3        float64 `json:"n3"`        // weight of the regularizer of Lacroix et al. 2018
	HeldOut   float64 `json:"heldOut"`   // share of the pairs of related concepts, and of the concepts, whose relations are not learned but asked for
	Queries   int     `json:"queries"`   // most of these that are asked for
	Seed      int64   `json:"seed"`      // of the initial weights, the sampling and what is held out
}

// DefaultOptions were chosen on held-out relations of an open knowledge base.
func DefaultOptions() Options {
	return Options{
		Size: 50, Steps: 3000, Batch: 1024, Negatives: 512, Rate: 5e-3, N3: 0,
		HeldOut: 0.02, Queries: 2000, Seed: 1,
	}
}

// Validate reports the first option that makes no sense.
func (o Options) Validate() error {
	switch {
	case o.Size < 2 || o.Size%2 != 0:
		return fmt.Errorf("size is %d, it must be even: real and imaginary parts", o.Size)
	case o.Steps < 1 || o.Batch < 1 || o.Negatives < 1 || o.Queries < 1:
		return errors.New("steps, batch, negatives and queries must be positive")
	case o.Rate <= 0 || o.N3 < 0:
		return errors.New("the learning rate must be positive and the weight of the regularizer not negative")
	case o.HeldOut <= 0 || o.HeldOut >= 0.5:
		return fmt.Errorf("the share that is held out is %g, it must lie between 0 and 0.5", o.HeldOut)
	}
	return nil
}

// Progress hears what is being done, how many of its steps are done, and of the
// loss where there is one.
type Progress interface {
	Step(name string, done, total int, loss float64)
}
