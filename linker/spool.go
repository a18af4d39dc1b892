package linker

import (
	"bufio"
	"encoding/binary"
	"io"
	"iter"
	"os"
)

// spool is a list of numbers in a temporary file: what is built of it needs to
// know first how many there are.
type spool struct {
	file  *os.File
	out   *bufio.Writer
	count int
}

// newSpool makes a spool whose file lies in dir. It must be closed.
func newSpool(dir string) (*spool, error) {
	file, err := os.CreateTemp(dir, "numbers-*"+temporary)
	if err != nil {
		return nil, err
	}
	return &spool{file: file, out: bufio.NewWriterSize(file, 1<<16)}, nil
}

func (s *spool) add(number uint64) error {
	s.count++
	_, err := s.out.Write(binary.LittleEndian.AppendUint64(s.out.AvailableBuffer(), number))
	return err
}

// each gives the numbers in the order in which they were added. It ends with the first error.
func (s *spool) each() iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		err := s.out.Flush()
		if err == nil {
			_, err = s.file.Seek(0, io.SeekStart)
		}
		if err != nil {
			yield(0, err)
			return
		}
		in := bufio.NewReaderSize(s.file, 1<<16)
		var number [8]byte
		for range s.count {
			if _, err := io.ReadFull(in, number[:]); err != nil {
				yield(0, err)
				return
			}
			if !yield(binary.LittleEndian.Uint64(number[:]), nil) {
				return
			}
		}
	}
}

// Close removes the file.
func (s *spool) Close() {
	s.file.Close()
	os.Remove(s.file.Name())
}
