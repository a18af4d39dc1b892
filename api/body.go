package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// bodies decides how huma reads the bodies of requests and writes those of
// answers: JSON both ways, and a plain text in for a document that has nothing
// but its text.
type bodies struct{ huma.API }

// Unmarshal implements huma.API.
func (bodies) Unmarshal(contentType string, data []byte, value any) error {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("%w: %q is not a media type", huma.ErrUnknownContentType, contentType)
	}
	if media != "application/json" && media != "text/plain" {
		return fmt.Errorf("%w: %q; send application/json or text/plain", huma.ErrUnknownContentType, media)
	}
	if at := firstInvalidUTF8(data); at >= 0 {
		return fmt.Errorf("the body is not valid UTF-8: byte 0x%02X at offset %d", data[at], at)
	}
	if media == "text/plain" {
		if data, err = json.Marshal(map[string]string{"text": string(data)}); err != nil {
			return err
		}
	}
	return unmarshalJSON(data, value)
}

// Negotiate implements huma.API. Whatever a client accepts, values and problems
// are JSON; calls with other forms of answers look at Accept themselves.
func (bodies) Negotiate(string) (string, error) { return "application/json", nil }

// unmarshalJSON is json.Unmarshal with errors that say where the fault is.
func unmarshalJSON(data []byte, value any) error {
	err := json.Unmarshal(data, value)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line, column := position(data, int(syntax.Offset)-1)
		return fmt.Errorf("broken JSON at line %d, column %d (byte offset %d): %w", line, column, max(0, syntax.Offset-1), err)
	}
	return err
}

// position turns a byte offset into line and column, both from 1, the column
// counted in code points.
func position(data []byte, offset int) (line, column int) {
	line, column = 1, 1
	for at, r := range string(data) {
		if at >= offset {
			break
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

// firstInvalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func firstInvalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// jsonFormat writes JSON as it is, without escaping <, > and &.
var jsonFormat = huma.Format{
	Marshal:   huma.DefaultJSONFormat.Marshal,
	Unmarshal: unmarshalJSON,
}

// writeJSON writes one value and a newline.
func writeJSON(out io.Writer, value any) error { return jsonFormat.Marshal(out, value) }
