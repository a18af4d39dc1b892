package linker

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/keci-kg/keci/graph"
)

// The bags of a dictionary find names whatever the order of their words, their
// derivation and the small words between them: "carcinoma, small cell" is
// "small cell carcinoma", "hypothalamic nuclei" are "nuclei of the hypothalamus".
// A bag is the sum of a hash of the stem of each word of the name that is no
// stop word, so that a text's bags are made by adding one word after another.
//
// names.bags is a hash table of places in names.postings: the magic, the number
// of home slots, a tag of one byte for each slot, and the slots: the lower half of
// the bag's hash and the place, 4 and 8 bytes. A bag lies in the first free slot
// from its home on. Homes rise with the hash, so that a build writes the table
// from front to back. A free slot has the tag 0, like the last one; the others
// have a part of the hash there, so that the slots, for which the cache is too
// small, are hardly ever read in vain.

// longestBag is the largest number of words in a bag.
const longestBag = 8

// mostInBag is how many concepts a bag keeps.
const mostInBag = 24

const bagSlot = 12 // bytes

// bagOf is a bag while words are added to it.
type bagOf struct {
	sum   uint64
	words int
}

func (b *bagOf) add(stem uint64) {
	b.sum += stem
	b.words++
}

// hash is never 0.
func (b *bagOf) hash() uint64 { return mix(b.sum+uint64(b.words)) | 1 }

// addBags adds the bags of the name whose tokens were scanned last: that of all
// of it and, where it has such, those without a part in brackets and without
// words at its end that texts leave out.
func (b *Builder) addBags(cui graph.CUI, name uint32) error {
	b.stems = b.tokens.appendStems(b.stems[:0], &b.stem)
	words := len(b.stems)
	last, err := b.addBag(cui, name, b.stems, 0)
	for n := words - 1; err == nil && n > 0 && generic[string(b.tokens.key(n))]; n-- {
		last, err = b.addBag(cui, name, b.stems[:n], last)
	}
	if start, end := b.tokens.bracket(); err == nil && end > start && end-start < words {
		_, err = b.addBag(cui, name, slices.Delete(b.stems, start, end), last)
	}
	return b.spilled(err)
}

// addBag adds the bag of some words, unless it has too few or too many or is the
// last one again, and gives its hash.
func (b *Builder) addBag(cui graph.CUI, name uint32, stems []uint64, last uint64) (hash uint64, err error) {
	b.words = b.words[:0]
	var bag bagOf
	for _, stem := range stems {
		if stem != 0 {
			b.words = append(b.words, stem)
			bag.add(stem)
		}
	}
	if hash = bag.hash(); bag.words == 0 || bag.words > longestBag || hash == last {
		return last, nil
	}
	for i, first := range b.words {
		for _, member := range wordMembers(first) {
			if err := b.filter.add(member); err != nil {
				return 0, err
			}
		}
		for _, second := range b.words[:i] {
			if err := b.filter.add(pairOf(first, second)); err != nil {
				return 0, err
			}
		}
	}
	b.record = appendBagRecord(b.record[:0], hash, cui, name, b.count)
	return hash, b.bags.Add(string(b.record))
}

// pairOf is the hash of two words of a bag, whatever their order.
func pairOf(first, second uint64) uint64 { return mix(first + second ^ 0x9e3779b97f4a7c15) }

// generic are last words, by normal form, that texts leave out of names.
var generic = setOf("no gene protein human disease syndrome disorder structure body cell region cancer unspecified")

// writeBags writes names.bags, and its postings after place in out.
func (b *Builder) writeBags(w *dictionaryWriter, places []uint64, out io.Writer, place uint64) error {
	bags, err := newSpool(b.dir)
	if err != nil {
		return err
	}
	defer bags.Close()
	if err := b.writeBagPostings(w, places, out, place, bags); err != nil {
		return err
	}
	return w.write(bagsFile, func(out io.Writer) error { return writeBagTable(out, bags) })
}

// writeBagPostings writes the postings of the bags, and adds to bags the hash of
// each and the place of its posting.
func (b *Builder) writeBagPostings(w *dictionaryWriter, places []uint64, out io.Writer, place uint64, bags *spool) error {
	var list []posting
	var encoded []byte
	var hash uint64 // of the list
	write := func() error {
		if len(list) == 0 {
			return nil
		}
		if err := errors.Join(bags.add(hash), bags.add(place)); err != nil {
			return err
		}
		encoded = appendPostings(encoded[:0], list)
		list = list[:0]
		place += uint64(len(encoded))
		_, err := out.Write(encoded)
		return err
	}
	step := 0
	for record, err := range b.bags.Sorted() {
		if err == nil {
			err = w.interrupted(step)
		}
		step++
		if err != nil {
			return err
		}
		r := splitBagRecord(record)
		if r.hash != hash {
			if err := write(); err != nil {
				return err
			}
			hash = r.hash
		}
		p := posting{concept: places[r.ordinal], name: uint64(r.name)}
		if n := len(list); n == 0 || n < mostInBag && list[n-1].concept != p.concept {
			list = append(list, p)
		}
	}
	return write()
}

// filledBag is a bag with the place of its postings.
type filledBag struct{ hash, place uint64 }

// writeBagTable writes the hash table of bags, which come in order of their
// hashes, four slots for three bags.
func writeBagTable(out io.Writer, bags *spool) error {
	homes := uint64(bags.count/2)*4/3 + 1
	if _, err := out.Write(binary.LittleEndian.AppendUint64([]byte(magic), homes)); err != nil {
		return err
	}
	for bag, err := range slotsOf(bags, homes) {
		if err != nil {
			return err
		}
		tag := byte(0)
		if bag.place != 0 {
			tag = tagOf(bag.hash)
		}
		if _, err := out.Write([]byte{tag}); err != nil {
			return err
		}
	}
	var slot [bagSlot]byte
	for bag, err := range slotsOf(bags, homes) {
		if err != nil {
			return err
		}
		binary.LittleEndian.PutUint32(slot[:], uint32(bag.hash))
		binary.LittleEndian.PutUint64(slot[4:], bag.place)
		if _, err := out.Write(slot[:]); err != nil {
			return err
		}
	}
	return nil
}

// slotsOf gives the slots of the hash table one after another, free ones as the zero bag.
func slotsOf(bags *spool, homes uint64) iter.Seq2[filledBag, error] {
	return func(yield func(filledBag, error) bool) {
		next := uint64(0) // the first slot that was not given
		var bag filledBag
		inHash := true
		for number, err := range bags.each() {
			if err != nil {
				yield(filledBag{}, err)
				return
			}
			if inHash {
				bag.hash, inHash = number, false
				continue
			}
			bag.place, inHash = number, true
			for ; next < home(bag.hash, homes); next++ {
				if !yield(filledBag{}, nil) {
					return
				}
			}
			if !yield(bag, nil) {
				return
			}
			next++
		}
		for end := max(next+1, homes+1); next < end; next++ {
			if !yield(filledBag{}, nil) {
				return
			}
		}
	}
}

// tagOf is never 0.
func tagOf(hash uint64) byte { return max(byte(hash>>32), 1) }

// bagTable is names.bags in memory.
type bagTable struct {
	homes       uint64
	tags, slots []byte
}

// openBags checks the head of names.bags.
func openBags(file []byte) (t bagTable, err error) {
	homes, rest, err := cutHeader(file)
	count := len(rest) / (1 + bagSlot)
	if err != nil || homes == 0 || homes >= uint64(count) || len(rest)%(1+bagSlot) != 0 || rest[count-1] != 0 {
		return t, cmp.Or(err, errNotWritten)
	}
	return bagTable{homes, rest[:count], rest[count:]}, nil
}

// place is that of the posting of a bag, 0 when there is none.
func (t *bagTable) place(hash uint64) uint64 {
	tag := tagOf(hash)
	for at := home(hash, t.homes); t.tags[at] != 0; at++ { // the last tag is 0
		if t.tags[at] != tag {
			continue
		}
		slot := t.slots[bagSlot*at:][:bagSlot]
		if binary.LittleEndian.Uint32(slot) == uint32(hash) {
			return binary.LittleEndian.Uint64(slot[4:])
		}
	}
	return 0
}
