package linker

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/blevesearch/vellum"

	"github.com/keci-kg/keci/graph"
)

// longestKey is the longest normal form, in bytes, that can be found. Longer
// names are kept with their concept, but no running text holds them.
const longestKey = 256

// Builder writes the dictionary of a knowledge base. It keeps the names in
// memory (about 100 bytes each) until Finish. It is not safe for concurrent use.
type Builder struct {
	dir      string
	concepts []addedConcept
	known    map[graph.CUI]bool
	names    []byte // encoded names of all concepts
	keys     []byte // normal forms of all names
	added    []addedName
	typeSets map[string][]graph.TUI
	tokens   tokens
	key      []byte
	bags     []addedBag
	stem     []byte
	stems    []uint64
}

// addedConcept is a concept with the place of its names in Builder.names.
type addedConcept struct {
	cui       string
	types     string // key of Builder.typeSets
	start     int
	end       int
	nameCount int
	place     uint64 // in names.concepts, known in Finish
}

// addedName is a name that can be found, with the place of its normal form in Builder.keys.
type addedName struct {
	start   int
	length  uint16
	concept uint32
	name    uint32
	plurals uint64
}

// NewBuilder makes a builder that writes into dir, which it creates if necessary.
func NewBuilder(dir string) (*Builder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("build dictionary: %w", err)
	}
	return &Builder{dir: dir, known: make(map[graph.CUI]bool), typeSets: make(map[string][]graph.TUI)}, nil
}

// Add adds a concept with its preferred name, synonyms and semantic types; the
// rest of it is not needed. Concepts come in any order, each once.
func (b *Builder) Add(c graph.Concept) error {
	if c.CUI == "" {
		return fmt.Errorf("build dictionary: concept %q has no CUI", c.Name)
	}
	if b.known[c.CUI] {
		return fmt.Errorf("build dictionary: concept %s was added before", c.CUI)
	}
	b.known[c.CUI] = true
	added := addedConcept{cui: string(c.CUI), types: b.typeSet(c.SemanticTypes), start: len(b.names)}
	b.addName(&added, c.Name)
	for _, name := range c.Synonyms {
		b.addName(&added, name)
	}
	added.end = len(b.names)
	b.concepts = append(b.concepts, added)
	return nil
}

// typeSet registers a set of types and gives the key of it.
func (b *Builder) typeSet(types []graph.TUI) string {
	types = slices.Compact(slices.Sorted(slices.Values(types)))
	var key strings.Builder
	for _, t := range types {
		key.WriteString(string(t) + " ")
	}
	if _, ok := b.typeSets[key.String()]; !ok {
		b.typeSets[key.String()] = append([]graph.TUI{}, types...)
	}
	return key.String()
}

// addName adds a name of the last concept.
func (b *Builder) addName(c *addedConcept, name string) {
	b.names = appendString(b.names, name)
	index := c.nameCount
	c.nameCount++
	b.tokens.reset()
	b.tokens.scan(name)
	b.key = b.tokens.appendKey(b.key[:0])
	if len(b.key) > longestKey || !b.tokens.hasLetter() {
		return
	}
	b.addBags(len(b.concepts), index)
	b.added = append(b.added, addedName{
		start: len(b.keys), length: uint16(len(b.key)), concept: uint32(len(b.concepts)), name: uint32(index),
		plurals: b.tokens.plurals(0, len(b.tokens.list)-1),
	})
	b.keys = append(b.keys, b.key...)
}

// Finish writes the files. The same concepts, in whatever order they were
// added, give the same bytes. Nothing half-written is left behind: the files
// get their names when all of them are complete. The builder is used up.
func (b *Builder) Finish(ctx context.Context) (err error) {
	w := &dictionaryWriter{ctx: ctx, dir: b.dir, files: make(map[string]fileChecksum)}
	defer func() {
		if err != nil {
			w.discard()
			err = fmt.Errorf("build dictionary: %w", err)
		}
	}()
	info := manifest{FormatVersion: formatVersion, Concepts: len(b.concepts), Names: len(b.added), Files: w.files}
	if info.TypeSets, err = b.writeConcepts(w); err != nil {
		return err
	}
	if info.NormalForms, err = b.writeNames(w); err != nil {
		return err
	}
	if err := w.write(manifestFile, func(out io.Writer) error {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", " ")
		return encoder.Encode(info)
	}); err != nil {
		return err
	}
	return w.commit()
}

// writeConcepts writes names.concepts and notes where each concept is. It gives the sets of types.
func (b *Builder) writeConcepts(w *dictionaryWriter) ([][]graph.TUI, error) {
	sets := make([][]graph.TUI, 0, len(b.typeSets))
	index := make(map[string]uint64)
	for _, key := range slices.Sorted(maps.Keys(b.typeSets)) {
		index[key] = uint64(len(sets))
		sets = append(sets, b.typeSets[key])
	}
	order := make([]*addedConcept, len(b.concepts))
	for i := range b.concepts {
		order[i] = &b.concepts[i]
	}
	slices.SortFunc(order, func(x, y *addedConcept) int { return cmp.Compare(x.cui, y.cui) })
	return sets, w.write(conceptsFile, func(out io.Writer) error {
		place := uint64(len(magic))
		if _, err := io.WriteString(out, magic); err != nil {
			return err
		}
		var record []byte
		for i, c := range order {
			if err := w.interrupted(i); err != nil {
				return err
			}
			record = appendConcept(record[:0], c.cui, index[c.types], c.nameCount, b.names[c.start:c.end])
			if _, err := out.Write(record); err != nil {
				return err
			}
			c.place = place
			place += uint64(len(record))
		}
		return w.write(cuisFile, func(out io.Writer) error { return writePlaces(out, order) })
	})
}

// writePlaces writes where each concept is, in order of CUI.
func writePlaces(out io.Writer, order []*addedConcept) error {
	if _, err := io.WriteString(out, magic); err != nil {
		return err
	}
	var place [8]byte
	for _, c := range order {
		binary.LittleEndian.PutUint64(place[:], c.place)
		if _, err := out.Write(place[:]); err != nil {
			return err
		}
	}
	return nil
}

// writeNames writes names.postings and names.fst, and gives the number of normal forms.
func (b *Builder) writeNames(w *dictionaryWriter) (forms int, err error) {
	slices.SortFunc(b.added, func(x, y addedName) int {
		return cmp.Or(
			bytes.Compare(b.keyOf(x), b.keyOf(y)),
			cmp.Compare(b.concepts[x.concept].place, b.concepts[y.concept].place),
			cmp.Compare(x.name, y.name),
		)
	})
	if err := b.writePrefixes(w); err != nil {
		return 0, err
	}
	err = w.write(namesFile, func(fst io.Writer) error {
		return w.write(postingsFile, func(postings io.Writer) error {
			forms, err = b.writeForms(w, fst, postings)
			return err
		})
	})
	return forms, err
}

func (b *Builder) keyOf(n addedName) []byte { return b.keys[n.start : n.start+int(n.length)] }

// writeForms writes each normal form with its posting; b.added is sorted.
func (b *Builder) writeForms(w *dictionaryWriter, fst, postings io.Writer) (forms int, err error) {
	names, err := vellum.New(fst, nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.WriteString(postings, magic); err != nil {
		return 0, err
	}
	place := uint64(len(magic))
	var list []byte
	for rest := b.added; len(rest) > 0; forms++ {
		if err := w.interrupted(forms); err != nil {
			return 0, err
		}
		key := b.keyOf(rest[0])
		same := 1
		for same < len(rest) && bytes.Equal(b.keyOf(rest[same]), key) {
			same++
		}
		if err := names.Insert(key, place); err != nil {
			return 0, err
		}
		list = b.appendPostings(list[:0], rest[:same])
		if _, err := postings.Write(list); err != nil {
			return 0, err
		}
		place += uint64(len(list))
		rest = rest[same:]
	}
	if err := b.writeBags(w, postings, place); err != nil {
		return 0, err
	}
	return forms, names.Close()
}

// appendPostings encodes the names of one normal form.
func (b *Builder) appendPostings(list []byte, names []addedName) []byte {
	list = binary.AppendUvarint(list, uint64(len(names)))
	previous := uint64(0)
	for _, n := range names {
		concept := b.concepts[n.concept].place
		list = appendPosting(list, posting{concept: concept, name: uint64(n.name), plurals: n.plurals}, previous)
		previous = concept
	}
	return list
}

// dictionaryWriter writes files under temporary names until all are complete.
type dictionaryWriter struct {
	ctx   context.Context
	dir   string
	files map[string]fileChecksum
}

const temporary = ".tmp"

// dictionaryFiles are all files, in the order in which they get their names.
var dictionaryFiles = []string{namesFile, postingsFile, conceptsFile, bagsFile, cuisFile, prefixesFile, manifestFile}

// interrupted gives the error of the context, asked once in many steps.
func (w *dictionaryWriter) interrupted(step int) error {
	if step%4096 == 0 && w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return nil
}

// write makes one file with the content that fill writes.
func (w *dictionaryWriter) write(name string, fill func(io.Writer) error) (err error) {
	f, err := os.Create(filepath.Join(w.dir, name+temporary))
	if err != nil {
		return err
	}
	sum := &checksumWriter{out: f}
	buffered := bufio.NewWriterSize(sum, 1<<20)
	err = fill(buffered)
	err = errors.Join(err, buffered.Flush(), f.Sync(), f.Close())
	if name != manifestFile {
		w.files[name] = fileChecksum{Size: sum.size, CRC32C: sum.crc}
	}
	return err
}

// commit gives the files their names, the manifest last.
func (w *dictionaryWriter) commit() error {
	for _, name := range dictionaryFiles {
		path := filepath.Join(w.dir, name)
		if err := os.Rename(path+temporary, path); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what was written.
func (w *dictionaryWriter) discard() {
	for _, name := range dictionaryFiles {
		os.Remove(filepath.Join(w.dir, name+temporary))
	}
}

// checksumWriter counts and sums what passes through.
type checksumWriter struct {
	out  io.Writer
	size int64
	crc  uint32
}

func (w *checksumWriter) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	w.size += int64(n)
	w.crc = crc32.Update(w.crc, castagnoli, p[:n])
	return n, err
}
