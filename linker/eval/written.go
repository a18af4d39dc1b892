package eval

import (
	"strings"

	"github.com/keci-kg/keci/linker"
)

// Written gives texts of tokens, with a space between any two, as people write them,
// which is what a linker reads: one that learns from the tokens never sees a name with a
// comma right behind it. The ranges of the mentions go with them; each must begin and end
// with a token.
func Written(texts []linker.Annotated) []linker.Annotated {
	written := make([]linker.Annotated, len(texts))
	for i, text := range texts {
		written[i] = write(text)
	}
	return written
}

func write(text linker.Annotated) linker.Annotated {
	var b strings.Builder
	starts, ends := map[int]int{}, map[int]int{} // of the tokens, as they were and as they are
	at, glued, quoted := 0, true, false
	for _, token := range strings.Split(text.Text, " ") {
		before, after := spaces(token, quoted)
		quoted = quoted != (token == `"`)
		if before && !glued {
			b.WriteByte(' ')
		}
		glued = !after
		starts[at] = b.Len()
		b.WriteString(token)
		ends[at+len(token)] = b.Len()
		at += len(token) + 1
	}
	written := linker.Annotated{Document: text.Document, Text: b.String()}
	for _, m := range text.Mentions {
		written.Mentions = append(written.Mentions, linker.Annotation{Start: starts[m.Start], End: ends[m.End], CUI: m.CUI})
	}
	return written
}

// spaces tells whether people write one before and one after a token; quoted is whether
// a quotation mark is open.
func spaces(token string, quoted bool) (before, after bool) {
	switch token {
	case ",", ".", ";", ":", "?", "!", "%", ")", "]", "'s", "'", "®", "°C":
		return false, true
	case "(", "[":
		return true, false
	case "-", "/":
		return false, false
	case `"`:
		return !quoted, quoted
	}
	return true, true
}
