package format

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/encoding/unicode"

	"github.com/keci-kg/keci/graph"
)

// ReadFile reads the documents of a file, or of every file in a folder that
// KindOfFile knows, in order of their names; see [Read]. Files that end in .gz are
// unpacked. Without a kind, that of each file is KindOfFile's. The document of a
// [Text] file has its path as id, that of [Brat] the name of the file, from path
// on and without its end. Every error is a [*DocumentError] that names the file.
func ReadFile(path string, kind Kind) iter.Seq2[graph.Document, error] {
	return Files{Kind: kind}.Read(path)
}

// ReadAnnotatedFile is [ReadFile] with annotations; see [ReadAnnotated]. In a
// folder it passes over texts that have none.
func ReadAnnotatedFile(path string, kind Kind) iter.Seq2[graph.Document, error] {
	return Files{Kind: kind, Annotated: true}.Read(path)
}

// Files is how files are read; see [ReadFile].
type Files struct {
	Kind      Kind            // empty: by the name of each file
	Annotated bool            // as [ReadAnnotatedFile] does
	OnRead    func(bytes int) // told, if not nil, of the bytes that are read, packed where they are
}

// Read reads the documents of a file or a folder.
func (f Files) Read(path string) iter.Seq2[graph.Document, error] {
	return unplaced(f.ReadPlaced(path))
}

// ReadPlaced is Read with the place of each document.
func (f Files) ReadPlaced(path string) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		walk(path, func(file string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				return nil
			}
			if err != nil {
				if !yield(Placed{Document: graph.Document{ID: file}, File: file}, inFile(err, file, file)) {
					return fs.SkipAll
				}
				return nil
			}
			kind, read := f.kindOf(path, file)
			if !read {
				return nil
			}
			for document, err := range f.readOne(path, file, kind) {
				document.File = cmp.Or(document.File, file)
				if !yield(document, inFile(err, document.ID, file)) {
					return fs.SkipAll
				}
			}
			return nil
		})
	}
}

// walk visits the files of a folder, which path may be a link to, or a file.
func walk(path string, visit fs.WalkDirFunc) {
	root := path
	if folder, err := filepath.EvalSymlinks(path); err == nil && isFolder(folder) {
		root = folder
	}
	_ = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if within, relErr := filepath.Rel(root, file); relErr == nil && root != path {
			file = filepath.Join(path, within) // as the caller names it
		}
		return visit(file, entry, err)
	})
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Size is the number of bytes that Read will read of a path, as far as it can be
// told.
func (f Files) Size(path string) (bytes int64) {
	walk(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		if _, read := f.kindOf(path, file); read {
			if info, err := os.Stat(file); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}

// kindOf tells the kind of a file that was found under a path, and whether it is
// to be read.
func (f Files) kindOf(path, file string) (kind Kind, read bool) {
	if kind = f.Kind; kind == "" {
		kind = KindOfFile(file)
	}
	return kind, file == path || listed(file, kind, f.Annotated)
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
	var ofFile *fs.PathError
	var end *endError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		named := *known
		if named.File == "" {
			named.File = file
		}
		return &named
	case errors.As(err, &ofFile):
		return &DocumentError{ID: id, File: ofFile.Path, Err: ofFile.Err}
	case errors.As(err, &end):
		return &DocumentError{ID: id, File: file, Line: end.line, Err: end.err}
	}
	return &DocumentError{ID: id, File: file, Err: err}
}

const annSuffix = ".ann"

// annOfText is the file with the annotations of a text, and textOfAnn the other way round.
func annOfText(file string) string { return sibling(file, annSuffix) }
func textOfAnn(file string) string { return sibling(file, ".txt") }

// sibling is the file of the same name with another end, which may be in capitals and
// packed. Where there is none, it has the end as it is.
func sibling(file, end string) string {
	name := withoutEnd(file)
	for _, packed := range []string{"", ".gz", ".GZ"} {
		for _, end := range []string{end, strings.ToUpper(end)} {
			if exists(name + end + packed) {
				return name + end + packed
			}
		}
	}
	return name + end
}

// withoutEnd is the name of a file without its end, and without that of packed files.
func withoutEnd(file string) string {
	if strings.EqualFold(filepath.Ext(file), ".gz") {
		file = strings.TrimSuffix(file, filepath.Ext(file))
	}
	return strings.TrimSuffix(file, filepath.Ext(file))
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// KindOfFile is the kind that the name of a file tells, upper and lower case and
// .gz aside: .jsonl, .xml and .pubtator (also .pubtator.txt) say what they are; a
// .txt file beside an .ann file of the same name is brat's, one that begins with
// "ID|t|" is of PubTator, any other is a text. What a .json file is, the keys of
// its first object tell. It is empty for other files.
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
	in, err := Files{}.open(file)
	if err != nil {
		return false
	}
	defer in.Close()
	head := make([]byte, 256)
	n, _ := io.ReadFull(decoded(in), head)
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	return pubTatorID(line) != "" && isTitle(line) && !bytes.ContainsAny([]byte(pubTatorID(line)), " \t")
}

// readOne reads the documents of one file in the folder root, or the file root.
func (f Files) readOne(root, file string, kind Kind) iter.Seq2[Placed, error] {
	if kind == Brat {
		return f.readBrat(root, file)
	}
	return func(yield func(Placed, error) bool) {
		in, err := f.open(file)
		if err != nil {
			yield(Placed{Document: graph.Document{ID: file}}, err)
			return
		}
		defer in.Close()
		if kind == "" && isJSON(file) {
			yield(Placed{Document: graph.Document{ID: file}}, errUnknownJSON)
			return
		}
		if kind == "" {
			kind = Text
		}
		for document, err := range read(in, kind, f.Annotated) {
			if kind == Text && document.ID == "" {
				document.ID = file
			}
			if !yield(document, err) {
				return
			}
		}
	}
}

// readBrat reads the pair of files of which one is named. The document is in that of
// the text.
func (f Files) readBrat(root, file string) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		text := textOfAnn(file)
		plain := Files{OnRead: f.OnRead}
		for document, err := range plain.readOne(root, text, Text) {
			document.ID, document.File = bratID(root, text), text
			if err == nil && f.Annotated {
				document.Document, err = f.readAnn(document.Document, annOfText(file))
			}
			if !yield(document, err) {
				return
			}
		}
	}
}

// bratID is what bratFile made a name of.
func bratID(root, file string) string {
	name, err := filepath.Rel(root, file)
	if err != nil || name == "." || strings.HasPrefix(name, "..") {
		name = filepath.Base(file)
	}
	name = withoutEnd(filepath.ToSlash(name))
	if id, err := url.PathUnescape(name); err == nil {
		return id
	}
	return name
}

func (f Files) readAnn(document graph.Document, file string) (graph.Document, error) {
	in, err := f.open(file)
	if err != nil {
		return document, err
	}
	defer in.Close()
	document, err = readAnn(document, decoded(in))
	return document, inFile(documentError(document.ID, 0, err), document.ID, file)
}

// open opens a file, unpacked.
func (f Files) open(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var in io.Reader = file
	if f.OnRead != nil {
		in = tellingReader{file, f.OnRead}
	}
	if strings.HasSuffix(strings.ToLower(path), ".gz") {
		if in, err = gzip.NewReader(bufio.NewReader(in)); err != nil {
			return nil, errors.Join(fmt.Errorf("unpacking: %w", err), file.Close())
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{in, file}, nil
}

// tellingReader tells how much was read.
type tellingReader struct {
	io.Reader
	tell func(bytes int)
}

// Read implements io.Reader.
func (r tellingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.tell(n)
	return n, err
}

// byteOrderMark is what some editors begin a file in UTF-8 with.
const byteOrderMark = "\uFEFF"

// decoded turns UTF-16, which the first two bytes tell, into UTF-8, and takes away
// the byte order mark.
func decoded(r io.Reader) io.Reader {
	in := bufio.NewReaderSize(r, 1<<16)
	head, _ := in.Peek(len(byteOrderMark)) // an error will come again
	switch {
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(in)
	case string(head) == byteOrderMark:
		_, _ = in.Discard(len(byteOrderMark)) // it was peeked at: there is no error
	}
	return in
}
