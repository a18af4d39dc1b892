package linker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
	"sync/atomic"
	"unsafe"

	mmap "github.com/blevesearch/mmap-go"
	"github.com/blevesearch/vellum"

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
const formatVersion = 7

// magic begins all files but names.fst, so that none is ever empty.
const magic = "keci nm6"

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

// dictionary is the mapped files. Files of a full release are too large to be
// summed up whenever they are opened, so only Verify does that; what reads them
// looks after its bounds instead, and notes what cannot have been written.
type dictionary struct {
	manifest
	dir                   string
	mapped                []mmap.MMap
	names                 *vellum.FST
	postingList, concepts []byte
	cuis                  []byte // without the magic
	bags                  bagTable
	filter                bloom
	damagedFile           atomic.Pointer[string]
}

// openDictionary maps the files and checks their sizes and heads.
func openDictionary(dir string) (*dictionary, error) {
	info, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	d := &dictionary{manifest: info, dir: dir}
	for _, file := range []struct {
		name string
		open func(content []byte) error
	}{
		{namesFile, d.openNames},
		{postingsFile, func(content []byte) (err error) { d.postingList = content; return checkMagic(content) }},
		{conceptsFile, func(content []byte) (err error) { d.concepts = content; return checkMagic(content) }},
		{bagsFile, func(content []byte) (err error) { d.bags, err = openBags(content); return err }},
		{cuisFile, d.openCUIs},
		{prefixesFile, func(content []byte) (err error) { d.filter, err = openFilter(content); return err }},
	} {
		content, err := mapFile(filepath.Join(dir, file.name), info.Files[file.name].Size)
		if err == nil {
			d.mapped = append(d.mapped, content)
			err = file.open(content)
		}
		if err != nil {
			d.Close()
			return nil, damaged(dir, file.name, err)
		}
	}
	return d, nil
}

// readManifest reads names.json.
func readManifest(dir string) (info manifest, err error) {
	content, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return info, fmt.Errorf("%w: %s does not exist; make a knowledge base with `keci kb build`",
			ErrNoDictionary, filepath.Join(dir, manifestFile))
	}
	if err != nil {
		return info, fmt.Errorf("open dictionary: %w", err)
	}
	if err := json.Unmarshal(content, &info); err != nil {
		return info, damaged(dir, manifestFile, err)
	}
	if info.FormatVersion != formatVersion {
		return info, fmt.Errorf("%w: %s has format %d, this program reads %d; %s", ErrVersion,
			filepath.Join(dir, manifestFile), info.FormatVersion, formatVersion, howToRebuild)
	}
	return info, nil
}

// Verify reads all files of the dictionary in dir, which Open does not, and
// compares their checksums. The error is one of those of Open, or the context's.
func Verify(ctx context.Context, dir string) error {
	info, err := readManifest(dir)
	if err != nil {
		return err
	}
	for _, name := range dictionaryFiles {
		if name == manifestFile {
			continue
		}
		err := verifyFile(ctx, filepath.Join(dir, name), info.Files[name])
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return damaged(dir, name, err)
		}
	}
	return nil
}

// verifyFile compares the size and the checksum of a file.
func verifyFile(ctx context.Context, path string, want fileChecksum) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := checksumWriter{out: io.Discard}
	for err == nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		_, err = io.CopyN(&sum, file, 64<<20)
	}
	switch {
	case err != io.EOF:
		return err
	case sum.size != want.Size:
		return fmt.Errorf("%d bytes instead of %d", sum.size, want.Size)
	case sum.crc != want.CRC32C:
		return errors.New("its checksum is wrong")
	}
	return nil
}

var errNotWritten = errors.New("no dictionary was ever written like this")

// cutHeader takes the magic and the number after it from a file.
func cutHeader(file []byte) (number uint64, rest []byte, err error) {
	if err := checkMagic(file); err != nil || len(file) < len(magic)+8 {
		return 0, nil, errNotWritten
	}
	rest = file[len(magic):]
	return binary.LittleEndian.Uint64(rest), rest[8:], nil
}

func checkMagic(file []byte) error {
	if !bytes.HasPrefix(file, []byte(magic)) {
		return errNotWritten
	}
	return nil
}

func (d *dictionary) openCUIs(file []byte) error {
	d.cuis = bytes.TrimPrefix(file, []byte(magic))
	if len(d.cuis)%8 != 0 || len(d.cuis)/8 != d.Concepts {
		return errNotWritten
	}
	return checkMagic(file)
}

func (d *dictionary) openNames(file []byte) (err error) {
	defer recoverDamage(func() { err = errNotWritten })
	d.names, err = vellum.Load(file)
	return err
}

// recoverDamage does when vellum, which trusts its bytes, runs out of bounds.
func recoverDamage(do func()) {
	if recover() != nil {
		do()
	}
}

// name gives the place of the posting of a normal form.
func (d *dictionary) name(names *vellum.Reader, key []byte) (place uint64, ok bool) {
	defer recoverDamage(func() { d.isDamaged(namesFile) })
	place, ok, err := names.Get(key)
	if err != nil {
		d.isDamaged(namesFile)
	}
	return place, ok && err == nil
}

// isDamaged notes that a file cannot have been written as it is.
func (d *dictionary) isDamaged(file string) { d.damagedFile.Store(&file) }

// damage is the error for what isDamaged noted.
func (d *dictionary) damage() error {
	if file := d.damagedFile.Load(); file != nil {
		return damaged(d.dir, *file, errNotWritten)
	}
	return nil
}

// mapFile maps a file, which must have the given size.
func mapFile(path string, size int64) (mmap.MMap, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != size || size == 0 {
		return nil, fmt.Errorf("%d bytes instead of %d", info.Size(), size)
	}
	return mmap.Map(f, mmap.RDONLY, 0)
}

// Close unmaps the files; the second call does nothing.
func (d *dictionary) Close() error {
	var errs []error
	for i := range d.mapped {
		errs = append(errs, d.mapped[i].Unmap())
	}
	d.mapped = nil
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

// appendPostingsAt appends the names with one normal form, those of a concept together.
func (d *dictionary) appendPostingsAt(list []posting, place uint64) []posting {
	r := reader{data: from(d.postingList, place)}
	var p posting
	for n := r.uvarint(); n > 0; n-- {
		p.concept += r.uvarint()
		header := r.uvarint()
		p.name, p.plurals = header>>1, 0
		if header&1 == 1 {
			p.plurals = r.uvarint()
		}
		if r.short {
			d.isDamaged(postingsFile)
			return list
		}
		list = append(list, p)
	}
	return list
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
	r := reader{data: from(d.concepts, p.concept)}
	h := hit{place: p.concept, cui: r.bytes(), preferred: p.name == 0}
	types, names := r.uvarint(), r.uvarint()
	if types >= uint64(len(d.TypeSets)) || p.name >= names {
		d.isDamaged(conceptsFile)
		return h
	}
	h.types, h.names = d.TypeSets[types], int(names)
	h.name = r.bytes()
	h.matched = h.name
	for i := uint64(0); i < p.name && !r.short; i++ {
		h.matched = r.bytes()
	}
	if r.short {
		d.isDamaged(conceptsFile)
	}
	return h
}

// find gives the place of a concept.
func (d *dictionary) find(cui string) (place uint64, ok bool) {
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(d.cuis[8*i:]) }
	i, ok := sort.Find(len(d.cuis)/8, func(i int) int {
		r := reader{data: from(d.concepts, at(i))}
		found := string(r.bytes())
		if r.short {
			d.isDamaged(conceptsFile)
		}
		return cmp.Compare(cui, found)
	})
	if !ok {
		return 0, false
	}
	return at(i), true
}

// view is a part of a file as a string, as long as the file is mapped.
func view(part []byte) string { return unsafe.String(unsafe.SliceData(part), len(part)) }

// from is a file from a place on, nothing when it is shorter.
func from(file []byte, place uint64) []byte { return file[min(place, uint64(len(file))):] }

// reader reads numbers and strings from the front of data.
type reader struct {
	data  []byte
	short bool // data was at its end, or no number
}

func (r *reader) uvarint() uint64 {
	if len(r.data) > 0 && r.data[0] < 0x80 {
		v := r.data[0]
		r.data = r.data[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.data, r.short = nil, true
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.data, r.short = nil, true
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func appendString(list []byte, s string) []byte {
	return append(binary.AppendUvarint(list, uint64(len(s))), s...)
}
