package linker

import (
	"encoding/binary"
	"io"
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
// of home slots, and the slots: the lower half of the bag's hash and the place,
// 0 for none, 4 and 8 bytes. A bag lies in the first free slot from its home on.
// Homes rise with the hash, so that a build writes the table from front to back;
// the last slot is free.

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
	hashes := append(make([]uint64, 0, 4), hashOfBag(b.stems))
	for n := words - 1; n > 0 && generic[string(b.tokens.key(n))]; n-- {
		hashes = append(hashes, hashOfBag(b.stems[:n]))
	}
	if start, end := b.tokens.bracket(); end > start && end-start < words {
		hashes = append(hashes, hashOfBag(slices.Delete(b.stems, start, end)))
	}
	for _, hash := range slices.Compact(hashes) {
		if hash == 0 {
			continue
		}
		b.record = appendBagRecord(b.record[:0], hash, cui, name, b.count)
		if err := b.spilled(b.bags.Add(string(b.record))); err != nil {
			return err
		}
	}
	return nil
}

// hashOfBag gives the hash of the bag of some words, 0 when it has too few or too many.
func hashOfBag(stems []uint64) uint64 {
	var bag bagOf
	for _, stem := range stems {
		if stem != 0 {
			bag.add(stem)
		}
	}
	if bag.words == 0 || bag.words > longestBag {
		return 0
	}
	return bag.hash()
}

// generic are last words, by normal form, that texts leave out of names.
var generic = setOf("no gene protein human disease syndrome disorder structure body cell region cancer unspecified")

// filledBag is a bag with the place of its postings.
type filledBag struct{ hash, place uint64 }

// writeBags writes names.bags, and its postings after place in out.
func (b *Builder) writeBags(w *dictionaryWriter, places []uint64, out io.Writer, place uint64) error {
	var bags []filledBag
	var list []posting
	var encoded []byte
	write := func() error {
		encoded = appendPostings(encoded[:0], list)
		list = list[:0]
		place += uint64(len(encoded))
		_, err := out.Write(encoded)
		return err
	}
	for record, err := range b.bags.Sorted() {
		if err == nil {
			err = w.interrupted(len(bags))
		}
		if err != nil {
			return err
		}
		r := splitBagRecord(record)
		if n := len(bags); n == 0 || bags[n-1].hash != r.hash {
			if n > 0 {
				if err := write(); err != nil {
					return err
				}
			}
			bags = append(bags, filledBag{r.hash, place})
		}
		p := posting{concept: places[r.ordinal], name: uint64(r.name)}
		if n := len(list); n == 0 || n < mostInBag && list[n-1].concept != p.concept {
			list = append(list, p)
		}
	}
	if len(bags) > 0 {
		if err := write(); err != nil {
			return err
		}
	}
	return w.write(bagsFile, func(out io.Writer) error { return writeBagTable(out, bags) })
}

// writeBagTable writes the hash table of bags in order of their hashes, three
// slots for two bags.
func writeBagTable(out io.Writer, bags []filledBag) error {
	homes := uint64(len(bags))*3/2 + 1
	if _, err := out.Write(binary.LittleEndian.AppendUint64([]byte(magic), homes)); err != nil {
		return err
	}
	var slot, free [bagSlot]byte
	next := uint64(0) // the first slot that is not written
	for _, bag := range bags {
		for ; next < home(bag.hash, homes); next++ {
			if _, err := out.Write(free[:]); err != nil {
				return err
			}
		}
		binary.LittleEndian.PutUint32(slot[:], uint32(bag.hash))
		binary.LittleEndian.PutUint64(slot[4:], bag.place)
		if _, err := out.Write(slot[:]); err != nil {
			return err
		}
		next++
	}
	for end := max(next+1, homes+1); next < end; next++ {
		if _, err := out.Write(free[:]); err != nil {
			return err
		}
	}
	return nil
}

// bag gives the place of the posting of a bag, 0 when there is none.
func (d *dictionary) bag(hash uint64) uint64 {
	table := d.bags[len(magic):]
	slots := table[8:]
	for at := bagSlot * home(hash, binary.LittleEndian.Uint64(table)); ; at += bagSlot {
		slot := slots[at : at+bagSlot]
		place := binary.LittleEndian.Uint64(slot[4:])
		if place == 0 || binary.LittleEndian.Uint32(slot) == uint32(hash) {
			return place
		}
	}
}
