package format

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// bratWriter writes two files for each document, named by its id. One that comes
// again is passed over.
type bratWriter struct {
	create  func(name string) (io.WriteCloser, error)
	close   func() error
	written written
}

// newBratArchive writes the files of brat into a ZIP archive.
func newBratArchive(out io.Writer) Writer {
	archive := zip.NewWriter(out)
	return &bratWriter{
		create: func(name string) (io.WriteCloser, error) {
			// without a time, the same documents give the same archive
			file, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
			return unclosed{file}, err
		},
		close:   archive.Close,
		written: written{},
	}
}

// unclosed is a file that ends where the next one begins.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// NewBratFolder makes a writer of the files of brat into the folder dir, which
// is there. A file that is there too is an error, unless it is of a document that
// this writer wrote: one that comes again is passed over.
func NewBratFolder(dir string) Writer {
	return inCodepoints{&bratWriter{
		create: func(name string) (io.WriteCloser, error) {
			return os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		},
		close:   func() error { return nil },
		written: written{},
	}}
}

// Write implements Writer.
func (w *bratWriter) Write(d graph.Document) error {
	name := bratFile(d.ID)
	if again, err := w.written.again(name, d); again || err != nil {
		return err
	}
	for _, file := range []struct{ name, content string }{{name + ".txt", d.Text}, {name + annSuffix, annOf(d)}} {
		out, err := w.create(file.name)
		if err != nil {
			return err
		}
		_, err = io.WriteString(out, file.content)
		if err := errors.Join(err, out.Close()); err != nil {
			return fmt.Errorf("writing %s: %w", file.name, err)
		}
	}
	return nil
}

// Close implements Writer.
func (w *bratWriter) Close() error { return w.close() }

// maxFileName is the length, in bytes, that file systems allow, less the suffix.
const maxFileName = 240

// bratFile is the name of the files of a document: its id, with a percent sign
// and two hexadecimal digits for each byte that some file system refuses. An id
// that is too long gives its hash.
func bratFile(id string) string {
	var b strings.Builder
	for i := range len(id) {
		c := id[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0
		if plain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() > maxFileName {
		return bratFile(graph.TextID(id))
	}
	return b.String()
}

// undirectedNote is the note on a relation without a direction, for which brat
// has no other sign.
const undirectedNote = "undirected"

var bratNameParts = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// bratName is a name of a type as brat allows it.
func bratName(name, otherwise string) string {
	if name = bratNameParts.ReplaceAllString(name, "_"); name == "" {
		return otherwise
	}
	return name
}

// annOf is the .ann file of a document.
func annOf(d graph.Document) string {
	var b strings.Builder
	ids := bratIDs(d.Mentions)
	count := map[string]int{}
	next := func(kind string) string {
		count[kind]++
		return kind + strconv.Itoa(count[kind])
	}
	at := runeOffsets(d.Text)
	for i, m := range d.Mentions {
		fragments, text := bratFragments(d.Text[at[m.Start]:at[m.End]], m.Start)
		fmt.Fprintf(&b, "%s\t%s %s\t%s\n", ids[i], bratName(m.Type, "Mention"), fragments, text)
		for _, c := range m.Denoted() {
			fmt.Fprintf(&b, "%s\tReference %s %s\t%s\n", next("N"), ids[i], bratReference(c.CUI), oneLine.Replace(c.Name))
		}
		if m.Negated {
			fmt.Fprintf(&b, "%s\tNegation %s\n", next("A"), ids[i])
		}
	}
	byID := map[string]string{}
	for i, m := range d.Mentions {
		byID[m.ID] = ids[i]
	}
	for _, r := range d.Relations {
		id := next("R")
		fmt.Fprintf(&b, "%s\t%s Arg1:%s Arg2:%s\n", id, bratName(r.Label, "Relation"), byID[r.Head], byID[r.Tail])
		if !r.Directed {
			fmt.Fprintf(&b, "%s\tAnnotatorNotes %s\t%s\n", next("#"), id, undirectedNote)
		}
	}
	return b.String()
}

var bratMentionID = regexp.MustCompile(`^T[0-9]+$`)

// bratIDs are the ids of mentions, counted anew if not all are T and a number.
func bratIDs(mentions []graph.Mention) []string {
	ids := make([]string, len(mentions))
	fit := true
	for i, m := range mentions {
		ids[i] = m.ID
		fit = fit && bratMentionID.MatchString(m.ID)
	}
	for i := range ids {
		if !fit {
			ids[i] = "T" + strconv.Itoa(i+1)
		}
	}
	return ids
}

// bratFragments gives the offsets of a mention that begins at start, and its text,
// without the line ends, which brat does not allow in it.
func bratFragments(text string, start int) (offsets, joined string) {
	var ranges, parts []string
	at := start
	for line := range strings.SplitAfterSeq(text, "\n") {
		part := strings.TrimRight(line, "\r\n")
		if part != "" {
			length := len([]rune(part))
			ranges = append(ranges, fmt.Sprintf("%d %d", at, at+length))
			parts = append(parts, strings.ReplaceAll(part, "\t", " "))
		}
		at += len([]rune(line))
	}
	return strings.Join(ranges, ";"), strings.Join(parts, " ")
}

// bratReference names a concept by vocabulary and id.
func bratReference(id graph.CUI) string {
	name := strings.Join(strings.Fields(string(id)), "_")
	if !strings.Contains(name, ":") {
		return bratVocabulary + ":" + name
	}
	return name
}
