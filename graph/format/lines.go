package format

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// textLine is a line without its end.
type textLine struct {
	number  int // from 1
	content []byte
}

// readLines reads lines. A line that is too long comes with an error that wraps
// errTooLong, and others follow; after any other error none does. The content is
// valid until the next line.
func readLines(r io.Reader) iter.Seq2[textLine, error] {
	return func(yield func(textLine, error) bool) {
		lines := bufio.NewReaderSize(r, 1<<16)
		for number := 1; ; number++ {
			content, err := readLine(lines)
			last := errors.Is(err, io.EOF)
			if err != nil && !last && !errors.Is(err, errTooLong) {
				yield(textLine{number: number}, &endError{number, err})
				return
			}
			if errors.Is(err, errTooLong) {
				err = errTooLong
			} else {
				err = nil
			}
			content = bytes.TrimRight(content, "\r\n")
			if last && err == nil && len(content) == 0 {
				return
			}
			if !yield(textLine{number, content}, err) || last {
				return
			}
		}
	}
}

var errTooLong = fmt.Errorf("the document has more than %d bytes", MaxDocumentBytes)

// readLine reads up to the next line end. A line that is too long is passed over.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line) <= MaxDocumentBytes {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > MaxDocumentBytes && (err == nil || errors.Is(err, io.EOF)) {
			err = errors.Join(errTooLong, err)
		}
		return line, err
	}
}
