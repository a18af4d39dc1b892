package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/keci-kg/keci/graph"
)

// jsonStream finds documents in JSON: objects, alone or one after the other, in
// arrays, or in collections, which are objects that hold an array of documents.
// Only one document is held in memory.
type jsonStream struct {
	decoder     *json.Decoder
	lines       *lineCounter
	collections []string // keys under which collections keep their documents
	convert     func(raw []byte, line int) (graph.Document, error)
	yield       func(Placed, error) bool
}

// readJSON reads the documents of r, each of which convert makes from its JSON
// and the line on which that begins. What is no JSON ends the reading.
func readJSON(r io.Reader, collections []string, convert func([]byte, int) (graph.Document, error)) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		lines := &lineCounter{in: r}
		s := jsonStream{json.NewDecoder(lines), lines, collections, convert, yield}
		err := s.readAll()
		line := s.here()
		if errors.Is(err, errCutOff) {
			line = lines.last()
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(Placed{}, &endError{line, err})
		}
	}
}

var (
	errStopped = errors.New("no more documents are wanted")
	errCutOff  = errors.New("the JSON ends too early: is the file cut off?")
)

func (s jsonStream) readAll() error {
	for {
		switch err := s.value(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// value reads a collection, a document or an array of them.
func (s jsonStream) value() error {
	token, err := s.decoder.Token()
	switch {
	case err != nil:
		return err
	case token == json.Delim('['):
		return s.array(s.value)
	case token != json.Delim('{'):
		return fmt.Errorf("%v stands where a document is expected", token)
	}
	return whole(s.object())
}

// array reads the elements of an array that has begun.
func (s jsonStream) array(element func() error) error {
	for s.decoder.More() {
		if err := whole(element()); err != nil {
			return err
		}
	}
	_, err := s.decoder.Token()
	return whole(err)
}

// whole tells an end inside a value.
func whole(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCutOff
	}
	return err
}

// object reads a collection, whose documents are delivered one by one, or a
// document, which is put together again from its fields.
func (s jsonStream) object() error {
	line := s.lines.line(s.decoder.InputOffset())
	fields, collection := map[string]json.RawMessage{}, false
	for s.decoder.More() {
		key, err := s.decoder.Token()
		if err != nil {
			return err
		}
		name := key.(string)
		if slices.Contains(s.collections, name) {
			collection = true
			if err := s.documents(); err != nil {
				return err
			}
			continue
		}
		var value json.RawMessage
		if err := s.decoder.Decode(&value); err != nil {
			return err
		}
		fields[name] = value
	}
	if _, err := s.decoder.Token(); err != nil || collection {
		return err
	}
	document, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return s.deliver(document, line)
}

// documents reads the array of a collection.
func (s jsonStream) documents() error {
	token, err := s.decoder.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('[') {
		return fmt.Errorf("%v stands where the array of documents is expected", token)
	}
	return s.array(func() error {
		var raw json.RawMessage
		if err := s.decoder.Decode(&raw); err != nil {
			return err
		}
		return s.deliver(raw, s.lines.line(s.decoder.InputOffset()-int64(len(raw))))
	})
}

func (s jsonStream) deliver(raw []byte, line int) error {
	document := Placed{Line: line}
	var err error
	if at := graph.FirstInvalid(raw); at >= 0 {
		line += bytes.Count(raw[:at], []byte("\n"))
		err = documentError("", line, errors.New("the document is not UTF-8: convert the file"))
	} else if len(raw) > MaxDocumentBytes {
		err = documentError("", line, errTooLong)
	} else {
		document.Document, err = s.convert(raw, line)
	}
	if !s.yield(document, err) {
		return errStopped
	}
	return nil
}

// here is the line of what comes next.
func (s jsonStream) here() int {
	line := s.lines.line(s.decoder.InputOffset())
	rest, _ := io.ReadAll(s.decoder.Buffered()) // it is in memory: there is no error
	between := len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,"))
	return line + bytes.Count(rest[:between], []byte("\n"))
}

// lineCounter passes on what it reads and knows on which line each byte lies.
type lineCounter struct {
	in     io.Reader
	read   int64
	ends   []int64 // where lines end, of those not yet asked for
	before int     // line ends that were passed
}

// Read implements io.Reader.
func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.ends = append(c.ends, c.read+int64(i))
		}
	}
	c.read += int64(n)
	return n, err
}

// line is the line, from 1, of the byte at offset, which must not be less than
// any asked for before.
func (c *lineCounter) line(offset int64) int {
	n := 0
	for n < len(c.ends) && c.ends[n] < offset {
		n++
	}
	c.ends, c.before = c.ends[n:], c.before+n
	return c.before + 1
}

// last is the last line that was read.
func (c *lineCounter) last() int { return c.before + len(c.ends) + 1 }
