package linker

import (
	"bufio"
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
	"github.com/keci-kg/keci/internal/spill"
)

// longestKey is the longest normal form, in bytes, that can be found. Longer
// names are kept with their concept, but no running text holds them.
const longestKey = 256

// Builder writes the dictionary of a knowledge base. Names and concepts are sorted
// on disk, so that its memory hardly grows with their number. It must be closed.
// It is not safe for concurrent use.
type Builder struct {
	dir      string
	known    graph.CUISet
	concepts *spill.Sorter // of conceptRecord
	names    *spill.Sorter // of nameRecord
	count    uint32        // of concepts
	added    int           // names that can be found
	typeSets map[string]uint32
	types    [][]graph.TUI // the sets, in the order in which they came
	tokens   tokens
	key      []byte
	record   []byte
	encoded  []byte        // names of one concept
	bags     *spill.Sorter // of bagRecord
	filter   *filterWriter
	stem     []byte
	stems    []uint64
	words    []uint64 // stems of a bag
}

// NewBuilder makes a builder that writes into dir, which it creates if necessary.
func NewBuilder(dir string) (*Builder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("build dictionary: %w", err)
	}
	filter, err := newFilterWriter(dir)
	if err != nil {
		return nil, fmt.Errorf("build dictionary: %w", err)
	}
	return &Builder{
		filter:   filter,
		dir:      dir,
		concepts: spill.New(context.Background(), dir),
		names:    spill.New(context.Background(), dir),
		bags:     spill.New(context.Background(), dir),
		typeSets: make(map[string]uint32),
	}, nil
}

// Close gives the build up, unless Finish ended it.
func (b *Builder) Close() {
	b.concepts.Close()
	b.names.Close()
	b.bags.Close()
	b.filter.members.Close()
}

// Add adds a concept with its preferred name, synonyms and semantic types; the
// rest of it is not needed. Concepts come in any order, each once.
func (b *Builder) Add(c graph.Concept) error {
	if c.CUI == "" || strings.Contains(string(c.CUI), nul) {
		return fmt.Errorf("build dictionary: concept %q has no CUI, or none that can be kept: %q", c.Name, c.CUI)
	}
	if !b.known.Add(c.CUI) {
		return fmt.Errorf("build dictionary: concept %s was added before", c.CUI)
	}
	b.encoded = b.encoded[:0]
	if err := b.addName(c, 0, c.Name); err != nil {
		return err
	}
	for i, name := range c.Synonyms {
		if err := b.addName(c, i+1, name); err != nil {
			return err
		}
	}
	b.record = appendConceptRecord(b.record[:0], c.CUI, b.count, b.typeSet(c.SemanticTypes), 1+len(c.Synonyms), b.encoded)
	b.count++
	return b.spilled(b.concepts.Add(string(b.record)))
}

func (b *Builder) spilled(err error) error {
	if err != nil {
		return fmt.Errorf("build dictionary: %w", err)
	}
	return nil
}

// typeSet registers a set of types and gives the number of it.
func (b *Builder) typeSet(types []graph.TUI) uint32 {
	types = slices.Compact(slices.Sorted(slices.Values(types)))
	key := typeSetKey(types)
	set, known := b.typeSets[key]
	if !known {
		set = uint32(len(b.types))
		b.typeSets[key] = set
		b.types = append(b.types, append([]graph.TUI{}, types...))
	}
	return set
}

func typeSetKey(types []graph.TUI) string {
	var key strings.Builder
	for _, t := range types {
		key.WriteString(string(t) + " ")
	}
	return key.String()
}

// addName adds a name of the concept that is being added.
func (b *Builder) addName(c graph.Concept, index int, name string) error {
	b.encoded = appendString(b.encoded, name)
	b.tokens.reset()
	b.tokens.scan(name)
	b.key = b.tokens.appendKey(b.key[:0])
	if len(b.key) > longestKey || !b.tokens.hasLetter() {
		return nil
	}
	b.added++
	b.record = appendNameRecord(b.record[:0], b.key, c.CUI, uint32(index), b.count, b.tokens.plurals(0, len(b.tokens.list)-1))
	if err := b.spilled(b.names.Add(string(b.record))); err != nil {
		return err
	}
	return b.addBags(c.CUI, uint32(index))
}

// Finish writes the files. The same concepts, in whatever order they were
// added, give the same bytes. Nothing half-written is left behind: the files
// get their names when all of them are complete. The builder is used up.
func (b *Builder) Finish(ctx context.Context) (err error) {
	w := &dictionaryWriter{ctx: ctx, dir: b.dir, files: make(map[string]fileChecksum)}
	defer b.Close()
	defer func() {
		if err != nil {
			w.discard()
			err = fmt.Errorf("build dictionary: %w", err)
		}
	}()
	info := manifest{FormatVersion: formatVersion, Concepts: int(b.count), Names: b.added, Files: w.files}
	places := make([]uint64, b.count)
	if info.TypeSets, err = b.writeConcepts(w, places); err != nil {
		return err
	}
	if info.NormalForms, err = b.writeNames(w, places); err != nil {
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

// sortedTypeSets gives the sets of types in order, and for each number of a set
// its place in that order.
func (b *Builder) sortedTypeSets() (sets [][]graph.TUI, place []uint64) {
	sets = make([][]graph.TUI, 0, len(b.types))
	place = make([]uint64, len(b.types))
	for _, key := range slices.Sorted(maps.Keys(b.typeSets)) {
		place[b.typeSets[key]] = uint64(len(sets))
		sets = append(sets, b.types[b.typeSets[key]])
	}
	return sets, place
}

// writeConcepts writes names.concepts and notes where each concept is. It gives the sets of types.
func (b *Builder) writeConcepts(w *dictionaryWriter, places []uint64) ([][]graph.TUI, error) {
	sets, setPlace := b.sortedTypeSets()
	return sets, w.write(conceptsFile, func(out io.Writer) error {
		place := uint64(len(magic))
		if _, err := io.WriteString(out, magic); err != nil {
			return err
		}
		var encoded []byte
		inOrder := make([]uint64, 0, len(places))
		step := 0
		for record, err := range b.concepts.Sorted() {
			if err == nil {
				err = w.interrupted(step)
			}
			if err != nil {
				return err
			}
			step++
			c := splitConceptRecord(record)
			encoded = appendConcept(encoded[:0], c.cui, setPlace[c.types], c.nameCount, []byte(c.names))
			if _, err := out.Write(encoded); err != nil {
				return err
			}
			places[c.ordinal] = place
			inOrder = append(inOrder, place)
			place += uint64(len(encoded))
		}
		return w.write(cuisFile, func(out io.Writer) error { return writePlaces(out, inOrder) })
	})
}

// writePlaces writes where each concept is, in order of CUI.
func writePlaces(out io.Writer, inOrder []uint64) error {
	if _, err := io.WriteString(out, magic); err != nil {
		return err
	}
	var place [8]byte
	for _, p := range inOrder {
		binary.LittleEndian.PutUint64(place[:], p)
		if _, err := out.Write(place[:]); err != nil {
			return err
		}
	}
	return nil
}

// writeNames writes names.postings and names.fst, and gives the number of normal forms.
func (b *Builder) writeNames(w *dictionaryWriter, places []uint64) (forms int, err error) {
	err = w.write(namesFile, func(fst io.Writer) error {
		return w.write(postingsFile, func(postings io.Writer) error {
			forms, err = b.writeForms(w, places, fst, postings)
			return err
		})
	})
	return forms, err
}

// writeForms writes each normal form with its posting.
func (b *Builder) writeForms(w *dictionaryWriter, places []uint64, fst, postings io.Writer) (forms int, err error) {
	names, err := vellum.New(fst, nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.WriteString(postings, magic); err != nil {
		return 0, err
	}
	writer := formWriter{names: names, postings: postings, filter: b.filter, place: uint64(len(magic))}
	for record, err := range b.names.Sorted() {
		if err == nil {
			err = w.interrupted(writer.forms)
		}
		if err != nil {
			return 0, err
		}
		n := splitNameRecord(record)
		if err := writer.add(n.key, posting{concept: places[n.ordinal], name: uint64(n.name), plurals: n.plurals}); err != nil {
			return 0, err
		}
	}
	if err := writer.flush(); err != nil {
		return 0, err
	}
	if err := w.write(prefixesFile, b.filter.writeTo); err != nil {
		return 0, err
	}
	if err := b.writeBags(w, places, postings, writer.place); err != nil {
		return 0, err
	}
	return writer.forms, names.Close()
}

// formWriter gathers the postings of one normal form.
type formWriter struct {
	names    *vellum.Builder
	postings io.Writer
	filter   *filterWriter
	place    uint64
	forms    int
	key      string
	list     []posting
	encoded  []byte
}

func (w *formWriter) add(key string, p posting) error {
	if key != w.key {
		if err := w.flush(); err != nil {
			return err
		}
		if err := w.addMembers(key); err != nil {
			return err
		}
		w.key = key
	}
	w.list = append(w.list, p)
	return nil
}

// addMembers adds a normal form and its beginnings to the filter.
func (w *formWriter) addMembers(key string) (err error) {
	members(key, w.key, func(hash uint64) { err = errors.Join(err, w.filter.add(hash)) })
	return err
}

// flush writes the normal form.
func (w *formWriter) flush() error {
	if len(w.list) == 0 {
		return nil
	}
	if err := w.names.Insert([]byte(w.key), w.place); err != nil {
		return err
	}
	w.encoded = appendPostings(w.encoded[:0], w.list)
	w.forms++
	w.place += uint64(len(w.encoded))
	w.list = w.list[:0]
	_, err := w.postings.Write(w.encoded)
	return err
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
