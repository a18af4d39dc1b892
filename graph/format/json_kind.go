package format

import (
	"bufio"
	"encoding/json"
	"errors"
	"strings"
)

// errUnknownJSON refuses to take JSON for the text of a document.
var errUnknownJSON = errors.New("the keys of the first object tell no form of documents in JSON: name the format, if it is one")

// kindOfJSON looks for a key that tells among those of the first object. A list of
// nothing is one of no documents.
func kindOfJSON(file string) Kind {
	in, err := Files{}.open(file)
	if err != nil {
		return ""
	}
	defer in.Close()
	decoder := json.NewDecoder(decoded(in))
	for {
		switch token, err := decoder.Token(); {
		case err != nil:
			return ""
		case token == json.Delim('{'):
			return kindOfObject(decoder)
		case token == json.Delim(']'):
			return JSON
		case token != json.Delim('['):
			return ""
		}
	}
}

// kindOfObject reads the keys of an object that has begun.
func kindOfObject(decoder *json.Decoder) (kind Kind) {
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return kind
		}
		switch key {
		case "documents", "passages", "PubTator3":
			return BioC
		case "denotations", "sourcedb", "sourceid":
			return PubAnnotation
		case "mentions", "offsets":
			return JSON
		case "text":
			kind = JSON // unless a key of PubAnnotation follows
		}
		if skipValue(decoder) != nil {
			return kind
		}
	}
	return kind
}

// skipValue passes over a value, of which it holds no more than a token.
func skipValue(decoder *json.Decoder) error {
	for depth := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// isJSON tells whether a file is JSON by its name and how it begins.
func isJSON(file string) bool {
	if !strings.HasSuffix(strings.TrimSuffix(strings.ToLower(file), ".gz"), ".json") {
		return false
	}
	in, err := Files{}.open(file)
	if err != nil {
		return false
	}
	defer in.Close()
	content := bufio.NewReader(decoded(in))
	for {
		switch c, err := content.ReadByte(); {
		case err != nil:
			return false
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return c == '{' || c == '['
		}
	}
}
