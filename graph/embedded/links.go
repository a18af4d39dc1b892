package embedded

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// link is a relation in a build: which concept is related to which, by their
// places in the order of concepts, and how.
type link struct{ from, to, kind uint32 }

const (
	linkBytes      = 12
	conceptsOfPart = 1 << 16 // whose links are sorted at a time: some 10 MB in a whole UMLS
)

// linkSorter sorts links by both ends. They lie on disk, parted by ranges of from,
// and are sorted in memory a range at a time.
type linkSorter struct {
	dir   string
	name  string
	parts []*linkFile
}

type linkFile struct {
	*bufio.Writer
	file  *os.File
	count int
}

func (s *linkSorter) add(l link) error {
	part := int(l.from / conceptsOfPart)
	for part >= len(s.parts) {
		file, err := os.Create(filepath.Join(s.dir, fmt.Sprintf("%s-%d", s.name, len(s.parts))))
		if err != nil {
			return err
		}
		s.parts = append(s.parts, &linkFile{bufio.NewWriterSize(file, 1<<16), file, 0})
	}
	to := s.parts[part]
	to.count++
	record := to.AvailableBuffer()
	record = binary.LittleEndian.AppendUint32(record, l.from)
	record = binary.LittleEndian.AppendUint32(record, l.to)
	record = binary.LittleEndian.AppendUint32(record, l.kind)
	_, err := to.Write(record)
	return err
}

// sorted gives all links in order of from, to, and what compare makes of their
// kinds. It removes the files that it has read.
func (s *linkSorter) sorted(ctx context.Context, compare func(a, b uint32) int) iter.Seq2[link, error] {
	return func(yield func(link, error) bool) {
		for _, part := range s.parts {
			if ctx.Err() != nil {
				yield(link{}, context.Cause(ctx))
				return
			}
			links, err := part.read()
			if err != nil {
				yield(link{}, fmt.Errorf("sorting relations: %w", err))
				return
			}
			slices.SortFunc(links, func(a, b link) int {
				return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), compare(a.kind, b.kind))
			})
			for _, l := range links {
				if !yield(l, nil) {
					return
				}
			}
		}
	}
}

// read gives all links of a file and removes it.
func (f *linkFile) read() ([]link, error) {
	if err := f.Flush(); err != nil {
		return nil, err
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	links := make([]link, f.count)
	in := bufio.NewReaderSize(f.file, 1<<20)
	var record [linkBytes]byte
	for i := range links {
		if _, err := io.ReadFull(in, record[:]); err != nil {
			return nil, err
		}
		links[i] = link{
			binary.LittleEndian.Uint32(record[0:]),
			binary.LittleEndian.Uint32(record[4:]),
			binary.LittleEndian.Uint32(record[8:]),
		}
	}
	return links, f.close()
}

// close closes and removes the file; the second call does nothing.
func (f *linkFile) close() error {
	if f.file == nil {
		return nil
	}
	err := errors.Join(f.file.Close(), os.Remove(f.file.Name()))
	f.file = nil
	return err
}

// close gives up what is left.
func (s *linkSorter) close() (err error) {
	for _, part := range s.parts {
		err = errors.Join(err, part.close())
	}
	return err
}
