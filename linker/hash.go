package linker

import (
	"encoding/binary"
	"math/bits"
)

// hashBytes hashes eight bytes at a time. Values of at most eight bytes, which
// are never NUL at their end, have different hashes.
func hashBytes(data []byte) uint64 {
	h := uint64(0)
	for ; len(data) > 8; data = data[8:] {
		h = mix(h + binary.LittleEndian.Uint64(data))
	}
	for i := len(data) - 1; i >= 0; i-- {
		h += uint64(data[i]) << (8 * i)
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

// home is the share of a hash of all hashes, as a place among so many: it rises with the hash.
func home(hash, places uint64) uint64 {
	place, _ := bits.Mul64(hash, places)
	return place
}

// hashTable is a map from hashes that are not 0, in memory without pointers: a
// hash lies in the first free slot from its home on. Most hashes that are sought
// are not there, and most of those have no mark: the marks fit into a near cache.
type hashTable struct {
	hashes []uint64
	values []uint32
	marks  []uint64 // a bit for each value of the lower bits of a hash; a power of two of them
}

// newHashTable makes a table for n hashes.
func newHashTable(n int) hashTable {
	const bitsPerHash = 8
	slots := 2*n + 1
	return hashTable{make([]uint64, slots), make([]uint32, slots), make([]uint64, 1<<bits.Len(uint(n*bitsPerHash/64)))}
}

func (t *hashTable) set(hash uint64, value uint32) {
	slot := t.slot(hash)
	t.hashes[slot], t.values[slot] = hash, value
	*t.mark(hash) |= 1 << (hash % 64)
}

func (t *hashTable) get(hash uint64) (value uint32, ok bool) {
	if len(t.marks) == 0 || *t.mark(hash)>>(hash%64)&1 == 0 {
		return 0, false
	}
	slot := t.slot(hash)
	return t.values[slot], t.hashes[slot] == hash
}

// mark is the word with the bit of a hash.
func (t *hashTable) mark(hash uint64) *uint64 { return &t.marks[hash/64%uint64(len(t.marks))] }

// slot is where a hash lies or is to lie.
func (t *hashTable) slot(hash uint64) uint64 {
	slot := home(hash, uint64(len(t.hashes)))
	for t.hashes[slot] != hash && t.hashes[slot] != 0 {
		if slot++; slot == uint64(len(t.hashes)) {
			slot = 0
		}
	}
	return slot
}
