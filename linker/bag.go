package linker

import (
	"cmp"
	"encoding/binary"
	"io"
	"slices"
)

// The bags of a dictionary find names whatever the order of their words, their
// derivation and the small words between them: "carcinoma, small cell" is
// "small cell carcinoma", "hypothalamic nuclei" are "nuclei of the hypothalamus".
// A bag is the sum of a hash of the stem of each word of the name that is no
// stop word, so that a text's bags are made by adding one word after another.
//
// names.bags is an open hash table of places in names.postings: the magic, the
// number of slots, a power of two, and the slots: the upper half of the bag's
// hash and the place, 0 for none, 4 and 8 bytes.

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

func hashBytes(data []byte) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h := uint64(offset)
	for _, c := range data {
		h = (h ^ uint64(c)) * prime
	}
	return h
}

// mix is the finalizer of MurmurHash3.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// addedBag is a bag of a name.
type addedBag struct {
	hash    uint64
	concept uint32
	name    uint32
}

// addBags adds the bags of the name whose tokens were scanned last: that of all
// of it and, where it has such, those without a part in brackets and without
// words at its end that texts leave out.
func (b *Builder) addBags(concept, name int) {
	b.stems = b.tokens.appendStems(b.stems[:0], &b.stem)
	words := len(b.stems)
	last := b.addBag(b.stems, concept, name, 0)
	for n := words - 1; n > 0 && generic[string(b.tokens.key(n))]; n-- {
		last = b.addBag(b.stems[:n], concept, name, last)
	}
	if start, end := b.tokens.bracket(); end > start && end-start < words {
		last = b.addBag(slices.Delete(b.stems, start, end), concept, name, last)
	}
}

// addBag adds one bag, unless its hash is that of the last one.
func (b *Builder) addBag(stems []uint64, concept, name int, last uint64) uint64 {
	var bag bagOf
	for _, stem := range stems {
		if stem != 0 {
			bag.add(stem)
		}
	}
	if bag.words == 0 || bag.words > longestBag {
		return last
	}
	hash := bag.hash()
	if hash != last {
		b.bags = append(b.bags, addedBag{hash, uint32(concept), uint32(name)})
	}
	return hash
}

// generic are last words, by normal form, that texts leave out of names.
var generic = setOf("no gene protein human disease syndrome disorder structure body cell region cancer unspecified")

// writeBags writes names.bags, and its postings after place in out.
func (b *Builder) writeBags(w *dictionaryWriter, out io.Writer, place uint64) error {
	slices.SortFunc(b.bags, func(x, y addedBag) int {
		return cmp.Or(
			cmp.Compare(x.hash, y.hash),
			cmp.Compare(b.concepts[x.concept].place, b.concepts[y.concept].place),
			cmp.Compare(x.name, y.name),
		)
	})
	b.bags = slices.CompactFunc(b.bags, func(x, y addedBag) bool { return x.hash == y.hash && x.concept == y.concept })
	slots := 16
	for slots*2 < len(b.bags)*3 {
		slots *= 2
	}
	table := make([]byte, len(magic)+8+slots*bagSlot)
	copy(table, magic)
	binary.LittleEndian.PutUint64(table[len(magic):], uint64(slots))
	var list []byte
	for rest := b.bags; len(rest) > 0; {
		same := 1
		for same < len(rest) && rest[same].hash == rest[0].hash {
			same++
		}
		putBag(table[len(magic)+8:], rest[0].hash, place)
		list = b.appendBagPostings(list[:0], rest[:min(same, mostInBag)])
		if _, err := out.Write(list); err != nil {
			return err
		}
		place += uint64(len(list))
		rest = rest[same:]
	}
	return w.write(bagsFile, func(out io.Writer) error {
		_, err := out.Write(table)
		return err
	})
}

func (b *Builder) appendBagPostings(list []byte, names []addedBag) []byte {
	list = binary.AppendUvarint(list, uint64(len(names)))
	previous := uint64(0)
	for _, n := range names {
		concept := b.concepts[n.concept].place
		list = appendPosting(list, posting{concept: concept, name: uint64(n.name)}, previous)
		previous = concept
	}
	return list
}

// putBag puts a place into the first free slot of a bag.
func putBag(slots []byte, hash, place uint64) {
	n := uint64(len(slots) / bagSlot)
	for i := hash & (n - 1); ; i = (i + 1) & (n - 1) {
		slot := slots[i*bagSlot:]
		if binary.LittleEndian.Uint64(slot[4:]) == 0 {
			binary.LittleEndian.PutUint32(slot, uint32(hash>>32))
			binary.LittleEndian.PutUint64(slot[4:], place)
			return
		}
	}
}

// bag gives the place of the posting of a bag, 0 when there is none.
func (d *dictionary) bag(hash uint64) uint64 {
	slots := d.bags[len(magic)+8:]
	mask := uint64(len(slots)/bagSlot) - 1
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := slots[i*bagSlot : i*bagSlot+bagSlot]
		place := binary.LittleEndian.Uint64(slot[4:])
		if place == 0 || binary.LittleEndian.Uint32(slot) == uint32(hash>>32) {
			return place
		}
	}
}
