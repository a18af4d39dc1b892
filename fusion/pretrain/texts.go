package pretrain

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/keci-kg/keci/encoder"
)

// ReadTexts reads a file of plain text in UTF-8, one text a line, packed by gzip
// where its name ends in .gz. Empty lines, and lines that were there before, are
// passed over.
func ReadTexts(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	defer file.Close()
	var in io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			return nil, fmt.Errorf("read texts %s: %w", path, err)
		}
	}
	var texts []string
	known := map[string]bool{}
	lines := bufio.NewReaderSize(in, 1<<20)
	for number := 1; ; number++ {
		line, err := lines.ReadString('\n')
		if text := strings.TrimSpace(line); text != "" && !known[text] {
			known[text] = true
			texts = append(texts, text)
		}
		switch {
		case errors.Is(err, io.EOF):
			if len(texts) == 0 {
				return nil, fmt.Errorf("read texts %s: there is no text in it", path)
			}
			return texts, nil
		case err != nil:
			return nil, fmt.Errorf("read texts %s, line %d: %w", path, number, err)
		}
	}
}

// split holds texts out, at least one of each kind.
func split(texts []string, share float64, seed int64) (learned, heldOut []string, err error) {
	if len(texts) < 2 {
		return nil, nil, fmt.Errorf("%d texts: at least 2 are needed, one of them held out", len(texts))
	}
	count := min(max(1, int(math.Round(share*float64(len(texts))))), len(texts)-1)
	held := make([]bool, len(texts))
	for _, i := range rand.New(rand.NewPCG(uint64(seed), splitStream)).Perm(len(texts))[:count] {
		held[i] = true
	}
	for i, text := range texts {
		if held[i] {
			heldOut = append(heldOut, text)
		} else {
			learned = append(learned, text)
		}
	}
	return learned, heldOut, nil
}

// Streams of random numbers of a seed, apart from those of the training loop,
// whose numbers are the epochs.
const (
	splitStream = math.MaxUint64 - iota
	measureStream
	orderStream // and those below it, one for each pass over the rows
)

// rows are word pieces as the encoder reads them, each row [CLS], pieces, [SEP].
type rows struct {
	ids    []int32 // [count, length]
	length int
}

func (r rows) count() int        { return len(r.ids) / r.length }
func (r rows) row(i int) []int32 { return r.ids[i*r.length : (i+1)*r.length] }

// pack fills rows with texts, one after another with a [SEP] between them; a text
// goes on in the next row. What does not fill the last row is left out.
func pack(ctx context.Context, t *encoder.Tokenizer, texts []string, length int) (rows, error) {
	r := rows{length: length}
	row := make([]int32, 1, length)
	row[0] = t.CLS()
	add := func(id int32) {
		row = append(row, id)
		if len(row) == length-1 {
			r.ids = append(append(r.ids, row...), t.SEP())
			row = row[:1]
		}
	}
	for _, text := range texts {
		if err := ctx.Err(); err != nil {
			return rows{}, err
		}
		pieces := t.Tokenize(text)
		for _, piece := range pieces {
			add(piece.ID)
		}
		if len(pieces) > 0 && len(row) > 1 {
			add(t.SEP())
		}
	}
	if r.count() == 0 {
		return rows{}, fmt.Errorf("%d texts do not fill a row of %d pieces: give more text", len(texts), length)
	}
	return r, nil
}
