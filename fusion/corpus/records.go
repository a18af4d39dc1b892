package corpus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// readExamples reads a JSON array record by record and turns each into an
// example, so that an error can say which record is at fault. No two examples
// may have one id.
func readExamples[T any](data []byte, convert func(record T, index int) (Example, error)) ([]Example, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if token, err := dec.Token(); err != nil || token != json.Delim('[') {
		return nil, errors.New("not a JSON array of records: is it the right file?")
	}
	var examples []Example
	seen := map[string]int{}
	for i := 0; dec.More(); i++ {
		line := lineAfter(data, dec.InputOffset())
		var record T
		if err := dec.Decode(&record); err != nil {
			return nil, fmt.Errorf("record %d, which begins on line %d: %w", i, line, err)
		}
		e, err := convert(record, i)
		if err != nil {
			return nil, fmt.Errorf("record %d (id %q): %w", i, e.ID, err)
		}
		if first, ok := seen[e.ID]; ok {
			return nil, fmt.Errorf("records %d and %d have the same id %q: ids must be unique", first, i, e.ID)
		}
		seen[e.ID] = i
		examples = append(examples, e)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("after %d records: the array does not end, is the file cut off? %w", len(examples), err)
	}
	end := dec.InputOffset()
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("line %d: there is more behind the array of records", lineAfter(data, end))
	}
	return examples, nil
}

// lineAfter is the line, from 1, of the first thing behind offset other than
// space and commas.
func lineAfter(data []byte, offset int64) int {
	rest := bytes.TrimLeft(data[offset:], " \t\r\n,")
	return 1 + bytes.Count(data[:len(data)-len(rest)], []byte("\n"))
}
