package linker

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"os"
	"path/filepath"
	"sort"

	mmap "github.com/blevesearch/mmap-go"

	"github.com/keci-kg/keci/graph"
)

// A dictionary is seven files of a knowledge base folder:
//
//	names.json      what it is: format version, counts, size and checksum of the
//	                other files, the distinct sets of semantic types
//	names.fst       a finite-state transducer from normal form to the place of its posting
//	names.postings  for each normal form: the number of names with it; for each of
//	                them the place of the concept (as a difference to the one before),
//	                which of the concept's names it is, and which of its words are plural
//	names.concepts  the concepts in order of CUI: CUI, set of types, names, the preferred one first
//	names.bags      a hash table from the words of a name to the place of a posting (bag.go)
//	names.cuis      the place of each concept in order of CUI, 8 bytes each
//	names.prefixes  a filter of normal forms and their beginnings (prefixes.go)
//
// Numbers are unsigned varints, strings have their length before them.
const (
	manifestFile = "names.json"
	namesFile    = "names.fst"
	postingsFile = "names.postings"
	conceptsFile = "names.concepts"
	bagsFile     = "names.bags"
	cuisFile     = "names.cuis"
	prefixesFile = "names.prefixes"
)

// formatVersion changes with the files and with the normal form of names.
const formatVersion = 4

// magic begins the postings and the concepts, so that no file is ever empty.
const magic = "keci nm4"

// Errors of Open.
var (
	ErrNoDictionary = errors.New("no dictionary")
	ErrVersion      = errors.New("dictionary of another version")
	ErrDamaged      = errors.New("dictionary is damaged")
)

const howToRebuild = "build the knowledge base again with `keci kb build`"

func damaged(dir, file string, cause error) error {
	return fmt.Errorf("%w: %s: %w; %s", ErrDamaged, filepath.Join(dir, file), cause, howToRebuild)
}

// manifest is the content of names.json.
type manifest struct {
	FormatVersion int                     `json:"formatVersion"`
	Concepts      int                     `json:"concepts"`
	Names         int                     `json:"names"`       // that can be found
	NormalForms   int                     `json:"normalForms"` // distinct ones
	Files         map[string]fileChecksum `json:"files"`
	TypeSets      [][]graph.TUI           `json:"typeSets"`
}

type fileChecksum struct {
	Size   int64  `json:"size"`
	CRC32C uint32 `json:"crc32c"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// dictionary is the mapped files.
type dictionary struct {
	manifest
	names, postingList, concepts, bags, cuis, prefixes mmap.MMap
}

// openDictionary maps and checks the files.
func openDictionary(dir string) (*dictionary, error) {
	d := new(dictionary)
	content, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist; make a knowledge base with `keci kb build`",
			ErrNoDictionary, filepath.Join(dir, manifestFile))
	}
	if err != nil {
		return nil, fmt.Errorf("open dictionary: %w", err)
	}
	if err := json.Unmarshal(content, &d.manifest); err != nil {
		return nil, damaged(dir, manifestFile, err)
	}
	if d.FormatVersion != formatVersion {
		return nil, fmt.Errorf("%w: %s has format %d, this program reads %d; %s", ErrVersion,
			filepath.Join(dir, manifestFile), d.FormatVersion, formatVersion, howToRebuild)
	}
	for _, file := range []struct {
		name string
		data *mmap.MMap
	}{{namesFile, &d.names}, {postingsFile, &d.postingList}, {conceptsFile, &d.concepts}, {bagsFile, &d.bags}, {cuisFile, &d.cuis}, {prefixesFile, &d.prefixes}} {
		if *file.data, err = mapFile(filepath.Join(dir, file.name), d.Files[file.name]); err != nil {
			d.Close()
			return nil, damaged(dir, file.name, err)
		}
	}
	return d, nil
}

// mapFile maps a file and checks that it is the one that was written.
func mapFile(path string, want fileChecksum) (mmap.MMap, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != want.Size || want.Size == 0 {
		return nil, fmt.Errorf("%d bytes instead of %d", info.Size(), want.Size)
	}
	data, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(data, castagnoli) != want.CRC32C {
		data.Unmap()
		return nil, errors.New("its checksum is wrong")
	}
	return data, nil
}

// Close unmaps the files; the second call does nothing.
func (d *dictionary) Close() error {
	var errs []error
	for _, data := range []*mmap.MMap{&d.names, &d.postingList, &d.concepts, &d.bags, &d.cuis, &d.prefixes} {
		if *data != nil {
			errs = append(errs, data.Unmap())
		}
	}
	return errors.Join(errs...)
}

// posting is one name with a normal form.
type posting struct {
	concept uint64 // its place in names.concepts
	name    uint64 // which of the concept's names, 0 the preferred one
	plurals uint64 // a bit for each word that lost a plural ending
}

// appendPostings encodes the postings of one normal form or bag.
func appendPostings(list []byte, postings []posting) []byte {
	list = binary.AppendUvarint(list, uint64(len(postings)))
	previous := uint64(0)
	for _, p := range postings {
		list = appendPosting(list, p, previous)
		previous = p.concept
	}
	return list
}

// appendPosting appends p to a list whose last concept lies at previous.
func appendPosting(list []byte, p posting, previous uint64) []byte {
	list = binary.AppendUvarint(list, p.concept-previous)
	if p.plurals == 0 {
		return binary.AppendUvarint(list, p.name<<1)
	}
	list = binary.AppendUvarint(list, p.name<<1|1)
	return binary.AppendUvarint(list, p.plurals)
}

// postings are the names with one normal form, those of a concept together.
func (d *dictionary) postings(at uint64) iter.Seq[posting] {
	return func(yield func(posting) bool) {
		r := reader(d.postingList[at:])
		var p posting
		for n := r.uvarint(); n > 0; n-- {
			p.concept += r.uvarint()
			header := r.uvarint()
			p.name, p.plurals = header>>1, 0
			if header&1 == 1 {
				p.plurals = r.uvarint()
			}
			if !yield(p) {
				return
			}
		}
	}
}

// appendConcept appends a concept whose names are encoded already.
func appendConcept(list []byte, cui string, types uint64, names int, encodedNames []byte) []byte {
	list = appendString(list, cui)
	list = binary.AppendUvarint(list, types)
	list = binary.AppendUvarint(list, uint64(names))
	return append(list, encodedNames...)
}

// hit reads the concept and the name of a posting.
func (d *dictionary) hit(p posting) hit {
	r := reader(d.concepts[p.concept:])
	h := hit{place: p.concept, cui: r.bytes(), types: d.TypeSets[r.uvarint()], preferred: p.name == 0}
	r.uvarint() // the number of names
	h.name = r.bytes()
	h.matched = h.name
	for i := uint64(0); i < p.name; i++ {
		h.matched = r.bytes()
	}
	return h
}

// find gives the place of a concept.
func (d *dictionary) find(cui string) (place uint64, ok bool) {
	places := d.cuis[len(magic):]
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(places[8*i:]) }
	i, ok := sort.Find(len(places)/8, func(i int) int {
		r := reader(d.concepts[at(i):])
		return cmp.Compare(cui, string(r.bytes()))
	})
	if !ok {
		return 0, false
	}
	return at(i), true
}

// reader reads numbers and strings from the front of a checked file.
type reader []byte

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(*r)
	*r = (*r)[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	b := (*r)[:n:n]
	*r = (*r)[n:]
	return b
}

func appendString(list []byte, s string) []byte {
	return append(binary.AppendUvarint(list, uint64(len(s))), s...)
}
