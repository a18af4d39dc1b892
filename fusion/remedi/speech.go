package remedi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jdkato/prose/v3/tag"
)

// pennTags are the parts of speech of words and numbers in the Penn Treebank
// (Marcus, Santorini and Marcinkiewicz 1993), which are what the tagger tells.
var pennTags = strings.Fields(`CC CD DT EX FW IN JJ JJR JJS LS MD NN NNP NNPS NNS PDT POS PRP PRP$
	RB RBR RBS RP SYM TO UH VB VBD VBG VBN VBP VBZ WDT WP WP$ WRB`)

// speech tells the parts of speech of words, by an averaged perceptron for
// English. It is safe for concurrent use; nil tells nothing.
type speech struct {
	tagger *tag.Tagger
	tags   []string // Config.PartsOfSpeech
}

// newSpeech loads the tagger, 2 MB, unless there are no tags to tell.
func newSpeech(tags []string) (*speech, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	tagger, err := tag.New()
	if err != nil {
		return nil, fmt.Errorf("load the tagger of parts of speech: %w", err)
	}
	return &speech{tagger, tags}, nil
}

// of gives 1 + the tag of the word that each piece of a text belongs to, and 0 for
// a tag that the model does not know. The tagger is handed the words that the pieces
// make up, in lower case. It divides no text itself, so that whatever the text holds,
// there is one tag for each word.
func (s *speech) of(text masked) []int32 {
	if s == nil {
		return nil
	}
	bounds := append(starts(text.pieces), len(text.pieces))
	words := make([]string, len(bounds)-1)
	for i := range words {
		words[i] = strings.ToLower(strings.Join(text.spelled[bounds[i]:bounds[i+1]], ""))
	}
	tags := make([]int32, len(text.pieces))
	for i, word := range s.tagger.Tag(words) {
		known := int32(1 + slices.Index(s.tags, word.Tag))
		for p := bounds[i]; p < bounds[i+1]; p++ {
			tags[p] = known
		}
	}
	return tags
}
