package linker

import (
	"encoding/binary"
	"io"
)

// names.prefixes tells, nearly always rightly, that no name is or begins with
// some words, so that the transducer is asked for hardly anything but names. It
// is a Bloom filter (Bloom 1970): the magic, the number of bits, a power of two,
// and the bits. Its members are the hashes of all normal forms and of their
// beginnings before each space.

const (
	bitsPerMember = 12 // at least, with bloomProbes: 1 wrong answer in 200 or fewer
	bloomProbes   = 4
)

// prefixHash makes the hash of a normal form from byte to byte.
type prefixHash uint64

const emptyPrefix prefixHash = 14695981039346656037 // FNV-1a

func (h prefixHash) add(key []byte) prefixHash {
	for _, c := range key {
		h = h.addByte(c)
	}
	return h
}

func (h prefixHash) addByte(c byte) prefixHash { return (h ^ prefixHash(c)) * 1099511628211 }

// whole and begin tell a name from the beginning of one.
func (h prefixHash) whole() uint64 { return mix(uint64(h)) }
func (h prefixHash) begin() uint64 { return mix(uint64(h) ^ 0x9e3779b97f4a7c15) }

// bloom is a filter in memory.
type bloom []byte

func (b bloom) add(hash uint64) {
	mask := uint64(len(b))*8 - 1
	step := hash>>32 | 1
	for range bloomProbes {
		at := hash & mask
		b[at/8] |= 1 << (at % 8)
		hash += step
	}
}

func (b bloom) has(hash uint64) bool {
	mask := uint64(len(b))*8 - 1
	step := hash>>32 | 1
	for range bloomProbes {
		if at := hash & mask; b[at/8]>>(at%8)&1 == 0 {
			return false
		}
		hash += step
	}
	return true
}

// members gives do the hashes of a normal form and of those of its beginnings
// that the normal form before it, in order, does not have.
func members(key, before string, do func(hash uint64)) {
	shared := 0
	for shared < len(key) && shared < len(before) && key[shared] == before[shared] {
		shared++
	}
	h := emptyPrefix
	for at := range len(key) {
		if key[at] == ' ' && at >= shared {
			do(h.begin())
		}
		h = h.addByte(key[at])
	}
	do(h.whole())
}

// prefixes are the members of the filter while a dictionary is built, 8 bytes each.
type prefixes []uint64

// add adds a normal form, which comes after the one before.
func (p *prefixes) add(key, before string) {
	members(key, before, func(hash uint64) { *p = append(*p, hash) })
}

// writeTo writes names.prefixes.
func (p prefixes) writeTo(out io.Writer) error {
	size := 64
	for size*8 < len(p)*bitsPerMember {
		size *= 2
	}
	filter := make(bloom, size)
	for _, hash := range p {
		filter.add(hash)
	}
	header := binary.LittleEndian.AppendUint64([]byte(magic), uint64(size)*8)
	if _, err := out.Write(header); err != nil {
		return err
	}
	_, err := out.Write(filter)
	return err
}
