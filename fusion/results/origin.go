package results

import (
	"iter"
	"slices"
)

// Origin is a model that the training of another went on from, and how it came about
// as far as it says so itself.
type Origin struct {
	Name  string `json:"name"`
	Model string `json:"model"` // its digest

	Learned      []Source `json:"learned,omitempty"` // what it learned from; nil: it does not say
	HeldOutShare float64  `json:"heldOutShare"`
	Seed         int64    `json:"seed"`
	Unseen       []File   `json:"unseen,omitempty"` // as in Training
	Command      string   `json:"command,omitempty"`
	Changes      []Change `json:"changes,omitempty"`
	From         *Origin  `json:"from,omitempty"` // the model that it went on from itself
}

// Origin is the model of a record, for one that goes on from it.
func (t Training) Origin(name, digest string) Origin {
	return Origin{
		Name: name, Model: digest, Learned: t.Sources(), HeldOutShare: t.HeldOutShare,
		Seed: t.Seed, Unseen: t.Unseen, Command: t.Command, Changes: t.Changes, From: t.From,
	}
}

// All are the model and those before it, the last first.
func (o *Origin) All() iter.Seq[*Origin] {
	return func(yield func(*Origin) bool) {
		for at := o; at != nil && yield(at); at = at.From {
		}
	}
}

// LearnedFrom tells whether the model learned from a file, those before it aside.
func (o *Origin) LearnedFrom(file File) bool {
	return slices.ContainsFunc(o.Learned, func(s Source) bool { return s.Data.SHA256 == file.SHA256 })
}

// LeftUnseen tells whether no text was learned from that shares a sentence with a file.
func (o *Origin) LeftUnseen(file File) bool {
	return slices.ContainsFunc(o.Unseen, func(f File) bool { return f.SHA256 == file.SHA256 })
}

// HeldOut tells whether what is held out in this way of a file that the model learned
// from was held out of it as well.
func (o *Origin) HeldOut(share float64, seed int64, unseen []File) bool {
	return o.HeldOutShare == share && o.Seed == seed && len(unseen) == len(o.Unseen) &&
		!slices.ContainsFunc(unseen, func(f File) bool { return !o.LeftUnseen(f) })
}
