// Package quote quotes the sentences that tell what was extracted, in the form in
// which users get them, on the command line and over HTTP.
package quote

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// Evidence is a relation in a sentence. Offsets count code points of the text of
// the document.
type Evidence struct {
	DocumentID string           `json:"documentId"`
	Title      string           `json:"title,omitempty"`
	Submitted  *time.Time       `json:"submittedAt,omitempty"`
	Sentence   string           `json:"sentence" doc:"The sentence, or sentences, from the first mention to the last."`
	Start      int              `json:"start" doc:"Where the sentence begins in the text."`
	End        int              `json:"end" doc:"Where it ends."`
	Relation   graph.Extraction `json:"relation"`
	Head       graph.Mention    `json:"head"`
	Tail       graph.Mention    `json:"tail"`
}

// All quotes the sentence of each piece of evidence.
func All(found []graph.Evidence) ([]Evidence, error) {
	quoted := make([]Evidence, len(found))
	for i, e := range found {
		var err error
		if quoted[i], err = One(e); err != nil {
			return nil, err
		}
	}
	return quoted, nil
}

// One quotes the sentence around the two mentions. What it gives does not keep the
// text of the document in memory.
func One(e graph.Evidence) (Evidence, error) {
	doc := graph.Document{ID: e.Document.ID, Text: e.Document.Text, Offsets: graph.OffsetCodepoint, Mentions: []graph.Mention{e.Head, e.Tail}}
	doc, err := doc.WithOffsets(graph.OffsetByte)
	if err != nil {
		return Evidence{}, err
	}
	first, last := min(doc.Mentions[0].Start, doc.Mentions[1].Start), max(doc.Mentions[0].End, doc.Mentions[1].End)
	around := linker.SentencesAround(doc.Text, linker.Range{Start: first, End: last})
	sentence, start := strings.Clone(doc.Text[around.Start:around.End]), utf8.RuneCountInString(doc.Text[:around.Start])
	return Evidence{
		DocumentID: e.Document.ID, Title: e.Document.Title, Submitted: e.Document.Submitted,
		Sentence: sentence, Start: start, End: start + utf8.RuneCountInString(sentence),
		Relation: e.Relation, Head: e.Head, Tail: e.Tail,
	}, nil
}
