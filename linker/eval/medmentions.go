// Package eval measures a concept linker against texts whose mentions people
// have linked to concepts, as in MedMentions (Mohan and Li 2019).
package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// ReadMedMentions reads sentences of MedMentions, one JSON object a line:
//
//	{"pmid": "…", "tokens": ["…", …], "mentions": [{"start": 0, "end": 2, "cui": "C…"}, …]}
//
// Offsets of the file count tokens, end-exclusive; the text is the tokens
// joined by single spaces.
func ReadMedMentions(path string) ([]linker.Annotated, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read MedMentions: %w", err)
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	var texts []linker.Annotated
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read MedMentions: %s: %w", path, err)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			text, err := decodeMedMentions(line)
			if err != nil {
				return nil, fmt.Errorf("read MedMentions: %s:%d: %w", path, number, err)
			}
			texts = append(texts, text)
		}
		if err != nil {
			return texts, nil
		}
	}
}

// Linkable tells whether the people who made MedMentions could choose a concept:
// those of UMLS, C and a number. Other identifiers are a knowledge base's own.
func Linkable(cui graph.CUI) bool {
	_, usual := cui.Number()
	return usual && cui[0] == 'C'
}

func decodeMedMentions(line []byte) (linker.Annotated, error) {
	var sentence struct {
		PMID     string
		Tokens   []string
		Mentions []struct {
			Start, End int
			CUI        graph.CUI
		}
	}
	if err := json.Unmarshal(line, &sentence); err != nil {
		return linker.Annotated{}, err
	}
	if len(sentence.Tokens) == 0 {
		return linker.Annotated{}, errors.New(`it has no "tokens": is it a sentence in the form of MedMentions?`)
	}
	starts := make([]int, 1, len(sentence.Tokens)+1)
	for i, token := range sentence.Tokens {
		starts = append(starts, starts[i]+len(token)+1)
	}
	text := linker.Annotated{Document: sentence.PMID, Text: strings.Join(sentence.Tokens, " ")}
	for _, m := range sentence.Mentions {
		if m.Start < 0 || m.End <= m.Start || m.End > len(sentence.Tokens) {
			return linker.Annotated{}, fmt.Errorf("a mention has the tokens %d to %d of %d", m.Start, m.End, len(sentence.Tokens))
		}
		text.Mentions = append(text.Mentions, linker.Annotation{Start: starts[m.Start], End: starts[m.End] - 1, CUI: m.CUI})
	}
	return text, nil
}

// Split cuts texts in two by document: the first part has the given share of
// the documents, in order of the file, 0…1.
func Split(texts []linker.Annotated, share float64) (first, rest []linker.Annotated) {
	documents, last := 0, ""
	starts := []int{}
	for i, t := range texts {
		if i == 0 || t.Document != last {
			documents++
			starts = append(starts, i)
		}
		last = t.Document
	}
	n := int(share * float64(documents))
	if n >= documents {
		return texts, nil
	}
	return texts[:starts[n]], texts[starts[n]:]
}
