// Package vectors keeps vectors that are dear to compute in a file, by the text
// they were computed of, so that another process need not compute them again.
//
// A file is a row of records of one size, each with a checksum, and is only ever
// added to or replaced by renaming. Several processes may have it open: one sees what
// the others have added when it opens it or adds to it itself. What is damaged is
// not given out, and removed when the file is next opened.
package vectors

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// keySize is how many bytes of the SHA-256 of a text are its key.
const keySize = 16

type key [keySize]byte

func keyOf(text string) key {
	sum := sha256.Sum256([]byte(text))
	return key(sum[:keySize])
}

// File is an open file of vectors. It is safe for concurrent use.
type File struct {
	path  string
	width int   // numbers of a vector
	most  int64 // bytes of the file; beyond them it is begun anew

	mu   sync.Mutex
	file *os.File
	read int64         // bytes of the file that at knows
	at   map[key]int64 // where the record of a text begins
}

// Open opens the file of vectors of the given width, or makes it, with its folder.
// It will not grow beyond so many bytes.
func Open(path string, width int, bytes int64) (*File, error) {
	f := &File{path: path, width: width, most: bytes}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return f, nil
}

func (f *File) open() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	f.file = file
	damaged, err := f.catchUp()
	if err == nil && damaged {
		err = f.replace(f.whole)
	}
	if err != nil {
		return errors.Join(err, f.file.Close())
	}
	return nil
}

// Path is where the file lies.
func (f *File) Path() string { return f.path }

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Close()
}

// Len is how many texts have a vector.
func (f *File) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.at)
}

// Get gives the vector of a text, bit for bit as it was added, or nil.
func (f *File) Get(text string) []float32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := keyOf(text)
	at, ok := f.at[k]
	if !ok {
		return nil
	}
	record := make([]byte, f.recordSize())
	if _, err := f.file.ReadAt(record, at); err != nil || !isWhole(record) || key(record) != k {
		return nil
	}
	vector := make([]float32, f.width)
	for i := range vector {
		vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(record[keySize+4*i:]))
	}
	return vector
}

// Add adds the vectors of texts, in one write. Those that another process has added
// meanwhile are left alone. A file that would become too large is begun anew.
func (f *File) Add(texts []string, vectors [][]float32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.add(texts, vectors); err != nil {
		return fmt.Errorf("add to %s: %w", f.path, err)
	}
	return nil
}

func (f *File) add(texts []string, vectors [][]float32) error {
	if _, err := f.catchUp(); err != nil {
		return err
	}
	var data []byte
	for i, text := range texts {
		k := keyOf(text)
		if _, known := f.at[k]; !known {
			data = f.appendRecord(data, k, vectors[i])
		}
	}
	if f.read+int64(len(data)) > f.most {
		if err := f.replace(func(io.Writer) error { return nil }); err != nil {
			return err
		}
	}
	if int64(len(data)) > f.most {
		return nil
	}
	if _, err := f.file.Write(data); err != nil {
		return err
	}
	_, err := f.catchUp()
	return err
}

// A record is the key of a text, the numbers of its vector, and the CRC-32C of
// both, little endian.
func (f *File) recordSize() int { return keySize + 4*f.width + crc32.Size }

func (f *File) appendRecord(data []byte, k key, vector []float32) []byte {
	start := len(data)
	data = append(data, k[:]...)
	for _, x := range vector[:f.width] {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return binary.LittleEndian.AppendUint32(data, checksum(data[start:]))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) uint32 { return crc32.Checksum(data, castagnoli) }

// isWhole tells whether a record is as it was written.
func isWhole(record []byte) bool {
	end := len(record) - crc32.Size
	return checksum(record[:end]) == binary.LittleEndian.Uint32(record[end:])
}

// catchUp learns what the file holds beyond what is known of it, and tells whether
// some of that is damaged.
func (f *File) catchUp() (damaged bool, err error) {
	if f.at == nil {
		f.at = map[key]int64{}
	}
	stat, err := f.file.Stat()
	if err != nil {
		return false, err
	}
	record := make([]byte, f.recordSize())
	in := bufio.NewReaderSize(io.NewSectionReader(f.file, f.read, stat.Size()-f.read), 1<<20)
	for {
		_, err := io.ReadFull(in, record)
		switch {
		case errors.Is(err, io.EOF):
			return damaged, nil
		case errors.Is(err, io.ErrUnexpectedEOF): // a record that was cut off, or is being written
			return true, nil
		case err != nil:
			return false, err
		}
		if isWhole(record) {
			f.at[key(record)] = f.read
		} else {
			damaged = true
		}
		f.read += int64(len(record))
	}
}

// whole writes the records of the file that are whole.
func (f *File) whole(to io.Writer) error {
	record := make([]byte, f.recordSize())
	for at := int64(0); at < f.read; at += int64(len(record)) {
		if _, err := f.file.ReadAt(record, at); err != nil {
			return err
		}
		if !isWhole(record) {
			continue
		}
		if _, err := to.Write(record); err != nil {
			return err
		}
	}
	return nil
}

// replace puts a new file in the place of this one.
func (f *File) replace(write func(io.Writer) error) (err error) {
	next, err := os.CreateTemp(filepath.Dir(f.path), ".next-*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) // it has another name by then, unless something failed
	buffered := bufio.NewWriter(next)
	if err := errors.Join(write(buffered), buffered.Flush(), next.Chmod(0o644), next.Close()); err != nil {
		return err
	}
	if err := os.Rename(next.Name(), f.path); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	err = f.file.Close()
	f.file, f.read, f.at = file, 0, nil
	_, readErr := f.catchUp()
	return errors.Join(err, readErr)
}
