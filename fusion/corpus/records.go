package corpus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// errSyntax is wrapped by errors behind which nothing can be read.
var errSyntax = errors.New("the rest of the file cannot be read")

// readRecords reads a JSON array record by record and turns each into an
// example. A record at fault is an error with its line; the next one follows,
// unless the error is an errSyntax.
func readRecords[T any](data []byte, convert func(record T, index int) (Example, error)) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		dec := json.NewDecoder(bytes.NewReader(data))
		if token, err := dec.Token(); err != nil || token != json.Delim('[') {
			yield(Example{}, fmt.Errorf("not a JSON array of records, is it the right file? %w", errSyntax))
			return
		}
		for i := 0; dec.More(); i++ {
			line := lineAfter(data, dec.InputOffset())
			var record T
			err := dec.Decode(&record)
			if wrongType := (*json.UnmarshalTypeError)(nil); err != nil && !errors.As(err, &wrongType) {
				yield(Example{Line: line}, fmt.Errorf("record %d: %w: %w", i, err, errSyntax))
				return
			}
			if err != nil {
				err = fmt.Errorf("record %d: %w", i, err)
			}
			var e Example
			if err == nil {
				if e, err = convert(record, i); err != nil {
					err = fmt.Errorf("record %d (id %q): %w", i, e.ID, err)
				}
			}
			e.Line = line
			if !yield(e, err) {
				return
			}
		}
		if _, err := dec.Token(); err != nil {
			yield(Example{Line: lineAfter(data, dec.InputOffset())}, fmt.Errorf("the array does not end, is the file cut off? %w: %w", err, errSyntax))
			return
		}
		end := dec.InputOffset()
		if _, err := dec.Token(); err != io.EOF {
			yield(Example{Line: lineAfter(data, end)}, fmt.Errorf("there is more behind the array of records: %w", errSyntax))
		}
	}
}

// lineAfter is the line, from 1, of the first thing behind offset other than
// space and commas.
func lineAfter(data []byte, offset int64) int {
	rest := bytes.TrimLeft(data[offset:], " \t\r\n,")
	return 1 + bytes.Count(data[:len(data)-len(rest)], []byte("\n"))
}
