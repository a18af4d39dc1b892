package format

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/encoding/unicode"

	"github.com/keci-kg/keci/graph"
)

// ReadFile reads the documents of a file, or of every file in a folder that
// KindOfFile knows, in order of their names; see [Read]. Files that end in .gz are
// unpacked. Without a kind, that of each file is KindOfFile's. The document of a
// [Text] or [Brat] file has its path as id. Every error is a [*DocumentError]
// that names the file.
func ReadFile(path string, kind Kind) iter.Seq2[graph.Document, error] {
	return readPath(path, kind, false)
}

// ReadAnnotatedFile is [ReadFile] with annotations; see [ReadAnnotated]. In a
// folder it passes over texts that have none.
func ReadAnnotatedFile(path string, kind Kind) iter.Seq2[graph.Document, error] {
	return readPath(path, kind, true)
}

func readPath(path string, kind Kind, annotated bool) iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		_ = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				return nil
			}
			if err != nil {
				if !yield(graph.Document{ID: file}, &DocumentError{ID: file, File: file, Err: err}) {
					return fs.SkipAll
				}
				return nil
			}
			own := kind
			if own == "" {
				own = KindOfFile(file)
			}
			if file != path && !listed(file, own, annotated) {
				return nil
			}
			for document, err := range readOne(file, own, annotated) {
				if !yield(document, inFile(err, document.ID, file)) {
					return fs.SkipAll
				}
			}
			return nil
		})
	}
}

// listed tells whether a file in a folder is read for its own sake.
func listed(file string, kind Kind, annotated bool) bool {
	name := strings.TrimSuffix(strings.ToLower(file), ".gz")
	switch kind {
	case "":
		return false
	case Text:
		return strings.HasSuffix(name, ".txt") && !annotated
	case Brat:
		return strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, annSuffix) && !exists(textOfAnn(file))
	}
	return KindOfFile(file) == kind || KindOfFile(file) == Text
}

// inFile adds the name of the file to an error.
func inFile(err error, id, file string) error {
	var known *DocumentError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		named := *known
		if named.File == "" {
			named.File = file
		}
		return &named
	}
	return &DocumentError{ID: id, File: file, Err: err}
}

const annSuffix = ".ann"

// annOfText is the file with the annotations of a text, and textOfAnn the other way round.
func annOfText(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) + annSuffix }
func textOfAnn(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) + ".txt" }

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// KindOfFile is the kind that the name of a file tells, upper and lower case and
// .gz aside: .jsonl, .xml and .pubtator (also .pubtator.txt) say what they are; a
// .txt file beside an .ann file of the same name is brat's, one that begins with
// "ID|t|" is of PubTator, any other is a text. What a .json file is, its first
// keys tell. It is empty for other files.
func KindOfFile(file string) Kind {
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(file)), ".gz")
	switch {
	case strings.HasSuffix(name, ".jsonl"):
		return JSONL
	case strings.HasSuffix(name, ".xml"):
		return BioC
	case strings.HasSuffix(name, ".pubtator"), strings.HasSuffix(name, ".pubtator.txt"):
		return PubTator
	case strings.HasSuffix(name, annSuffix):
		return Brat
	case strings.HasSuffix(name, ".txt") && exists(annOfText(file)):
		return Brat
	case strings.HasSuffix(name, ".txt") && beginsWithTitle(file):
		return PubTator
	case strings.HasSuffix(name, ".txt"):
		return Text
	case strings.HasSuffix(name, ".json"):
		return kindOfJSON(file)
	}
	return ""
}

// beginsWithTitle tells whether the first line is the title of a PubTator document.
func beginsWithTitle(file string) bool {
	in, err := open(file)
	if err != nil {
		return false
	}
	defer in.Close()
	head := make([]byte, 256)
	n, _ := io.ReadFull(decoded(in), head)
	line, _, _ := bytes.Cut(bytes.TrimPrefix(head[:n], []byte("\uFEFF")), []byte("\n"))
	return pubTatorID(line) != "" && isTitle(line) && !bytes.ContainsAny([]byte(pubTatorID(line)), " \t")
}

// kindOfJSON looks for a key that tells among the first ones.
func kindOfJSON(file string) Kind {
	in, err := open(file)
	if err != nil {
		return ""
	}
	defer in.Close()
	decoder := json.NewDecoder(decoded(in))
	for range 16 {
		switch token, err := decoder.Token(); {
		case err != nil:
			return ""
		case token == "documents", token == "passages", token == "PubTator3":
			return BioC
		case token == "text", token == "mentions":
			return JSON
		}
	}
	return ""
}

// readOne reads the documents of one file.
func readOne(file string, kind Kind, annotated bool) iter.Seq2[graph.Document, error] {
	if kind == Brat {
		return readBrat(file, annotated)
	}
	return func(yield func(graph.Document, error) bool) {
		in, err := open(file)
		if err != nil {
			yield(graph.Document{ID: file}, err)
			return
		}
		defer in.Close()
		if kind == "" {
			kind = Text
		}
		for document, err := range read(in, kind, annotated) {
			if kind == Text && document.ID == "" {
				document.ID = file
			}
			if !yield(document, err) {
				return
			}
		}
	}
}

// readBrat reads the pair of files of which one is named.
func readBrat(file string, annotated bool) iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		text := textOfAnn(file)
		for document, err := range readOne(text, Text, false) {
			document.ID = strings.TrimSuffix(text, filepath.Ext(text))
			if err == nil && annotated {
				document, err = readAnnFile(document, annOfText(file))
			}
			if !yield(document, err) {
				return
			}
		}
	}
}

func readAnnFile(document graph.Document, file string) (graph.Document, error) {
	in, err := open(file)
	if err != nil {
		return document, err
	}
	defer in.Close()
	document, err = readAnn(document, in)
	return document, inFile(documentError(document.ID, 0, err), document.ID, file)
}

// open opens a file, unpacked.
func open(file string) (io.ReadCloser, error) {
	f, err := os.Open(file)
	if err != nil || !strings.HasSuffix(strings.ToLower(file), ".gz") {
		return f, err
	}
	unpacked, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("unpacking: %w", err), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{unpacked, f}, nil
}

// decoded turns UTF-16, which the first two bytes tell, into UTF-8.
func decoded(r io.Reader) io.Reader {
	in := bufio.NewReaderSize(r, 1<<16)
	mark, _ := in.Peek(2)
	if bytes.Equal(mark, []byte{0xFF, 0xFE}) || bytes.Equal(mark, []byte{0xFE, 0xFF}) {
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(in)
	}
	return in
}
