package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
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

// trainingSet holds texts out, cuts the others into sentences where the variant
// learns from those, and looks whether there is something to learn.
func (r recipe) trainingSet(m material, stderr io.Writer) (learn, heldOut corpus.Corpus, err error) {
	rest, heldOut := m.all.Split(r.heldOut, r.train.Seed)
	if len(rest.Examples) == 0 || (len(heldOut.Examples) == 0) != (r.heldOut == 0) {
		return rest, heldOut, usageError("--held-out %g of %d texts leaves none to learn from or to compare on", r.heldOut, len(m.all.Examples))
	}
	if r.settings.Needs().Sentences {
		if rest, err = r.inSentences(rest, stderr); err != nil {
			return rest, heldOut, err
		}
	}
	if len(rest.CountTypes()) == 0 {
		return rest, heldOut, fmt.Errorf("%s: no entity is annotated in the %d texts to learn from", m.data.Name, len(rest.Examples))
	}
	return rest, heldOut, nil
}

// inSentences cuts documents into sentences that the encoder can read.
func (r recipe) inSentences(c corpus.Corpus, stderr io.Writer) (corpus.Corpus, error) {
	c, lost := c.InSentences()
	if lost != (corpus.Lost{}) {
		fmt.Fprintf(stderr, "of what is annotated, %d entities and %d relations reach over the end of a sentence: they are not learned\n", lost.Entities, lost.Relations)
	}
	return r.withoutTooLong(c, stderr)
}

// withoutTooLong looks for sentences that the encoder cannot read at once.
func (r recipe) withoutTooLong(c corpus.Corpus, stderr io.Writer) (corpus.Corpus, error) {
	tokenizer, err := encoder.LoadTokenizer(r.encoder)
	if err != nil {
		return c, err
	}
	config, err := encoder.LoadConfig(r.encoder)
	if err != nil {
		return c, err
	}
	longest := config.MaxPositionEmbeddings - 2 // [CLS] and [SEP]
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
