// Package pretrain goes on with the pretraining of an encoder on texts of a
// domain (Gururangan et al. 2020): masked-language modelling as in BERT (Devlin
// et al. 2019), with other pieces hidden each time a text is read and rows that
// are packed full, as in RoBERTa (Liu et al. 2019).
//
// The table of word pieces stays as it was. A run of this size would move few of
// its rows, it is half of a small encoder's weights, and what was made with it –
// names of concepts, knowledge-graph embeddings – goes on to fit.
package pretrain

import (
	"errors"
	"fmt"

	"github.com/keci-kg/keci/fusion/train"
)

// Options say how to pretrain.
type Options struct {
	Steps    int     `json:"steps"`              // of the optimizer
	Every    int     `json:"every"`              // the encoder is measured and saved after so many steps
	MaxSteps int     `json:"maxSteps,omitempty"` // stop after so many steps; 0 means no limit. The schedule is that of Steps.
	Rows     int     `json:"rows"`               // in a step
	Length   int     `json:"length"`             // word pieces of a row, [CLS] and [SEP] included
	Hidden   float64 `json:"hidden"`             // share of the pieces of a row that are to be told
	HeldOut  float64 `json:"heldOut"`            // share of the texts that is only measured on

	EncoderRate float64 `json:"encoderRate"` // highest learning rate of the encoder
	HeadRate    float64 `json:"headRate"`    // highest learning rate of the head, which begins anew
	WarmUp      float64 `json:"warmUp"`      // share of the steps in which both rates rise from 0
	Seed        int64   `json:"seed"`        // of what is held out, the order of the texts, what is hidden, and the head
	Resume      bool    `json:"-"`           // go on from the checkpoint of the run
}

// DefaultOptions are for a small encoder and some ten million words.
func DefaultOptions() Options {
	return Options{
		Steps: 4000, Every: 500, Rows: 8, Length: 128, Hidden: 0.15, HeldOut: 0.005,
		EncoderRate: 2e-4, HeadRate: 1e-3, WarmUp: 0.06, Seed: 1,
	}
}

// Validate reports the first option that makes no sense.
func (o Options) Validate() error {
	switch {
	case o.Steps < 1 || o.Every < 1:
		return fmt.Errorf("%d steps, measured every %d: both must be at least 1", o.Steps, o.Every)
	case o.Steps%o.Every != 0:
		return fmt.Errorf("%d steps are no multiple of the %d after which the encoder is measured", o.Steps, o.Every)
	case o.Rows < 1:
		return fmt.Errorf("%d rows in a step, it must be at least 1", o.Rows)
	case o.Length < minLength:
		return fmt.Errorf("rows of %d pieces, they must have at least %d", o.Length, minLength)
	case !(o.Hidden > 0 && o.Hidden < 1):
		return fmt.Errorf("the share of hidden pieces is %g, it must lie between 0 and 1", o.Hidden)
	case !(o.HeldOut > 0 && o.HeldOut < 1):
		return fmt.Errorf("the share of texts held out is %g, it must lie between 0 and 1", o.HeldOut)
	}
	if o.EncoderRate <= 0 || o.HeadRate <= 0 {
		return errors.New("learning rates must be positive")
	}
	return o.Training().Validate()
}

// minLength leaves room for some context.
const minLength = 8

// Training are the options of the loop, of which an epoch is the steps between
// two measurements.
func (o Options) Training() train.Options {
	return train.Options{
		Epochs: o.Steps / max(1, o.Every), MaxSteps: o.MaxSteps, BatchSize: o.Rows, EncoderRate: o.EncoderRate, TaskRate: o.HeadRate,
		WarmUp: o.WarmUp, ClipNorm: 1, WeightDecay: 0.01, Seed: o.Seed, Resume: o.Resume,
	}
}
