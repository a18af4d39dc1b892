package linker

import (
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"math/bits"
)

// names.prefixes tells, nearly always rightly, that no name is or begins with
// some words, so that the transducer is asked for hardly anything but names, and
// that no bag holds two words, so that hardly a bag is sought in vain. It is a Bloom filter (Bloom 1970) of blocks the size of a cache line, in one of
// which all bits of a member lie (Putze, Sanders and Singler 2007): the magic,
// the number of blocks, and the blocks. Its members are the hashes of all normal
// forms, of their beginnings before each space, of the stems of words, and of the pairs of these in bags.

const (
	bitsPerMember = 12 // with bloomProbes: some 1 wrong answer in 100
	bloomProbes   = 4
	bloomBlock    = 64 // bytes
	bloomBits     = 9  // of a hash, for a bit of a block
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

// bloom is a filter in memory, a number of blocks.
type bloom []byte

// block is where all bits of a hash lie: the upper bits of the hash choose it,
// the lower ones the bits.
func (b bloom) block(hash uint64) []byte {
	at := bloomBlock * home(hash, uint64(len(b))/bloomBlock)
	return b[at : at+bloomBlock]
}

func (b bloom) add(hash uint64) {
	block := b.block(hash)
	for range bloomProbes {
		block[hash%bloomBlock] |= 1 << (hash >> 6 % 8)
		hash >>= bloomBits
	}
}

// wordMembers are the hashes of a stem: two, so that hundreds can be sought
// with hardly a wrong answer.
func wordMembers(stem uint64) [2]uint64 {
	return [...]uint64{mix(stem ^ 0xa0761d6478bd642f), mix(stem ^ 0xe7037ed1a0b428db)}
}

// hasWord reports whether a name has a word with a stem.
func (b bloom) hasWord(stem uint64) bool {
	m := wordMembers(stem)
	return b.has(m[0]) && b.has(m[1])
}

func (b bloom) has(hash uint64) bool {
	block := b.block(hash)
	for range bloomProbes {
		if block[hash%bloomBlock]>>(hash>>6%8)&1 == 0 {
			return false
		}
		hash >>= bloomBits
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

// filterWriter gathers the hashes of the members of a filter. Many come often, so
// that it counts how many different ones there are, with an error of a few per
// cent, by linear counting (Whang, Vander-Zanden and Taylor 1990).
type filterWriter struct {
	members *spool
	marks   []uint64 // a bit for each value of the upper bits of a hash
}

// countedBits is how many bits the marks have: enough for as many members as a full release has.
const countedBits = 1 << 27

func newFilterWriter(dir string) (*filterWriter, error) {
	members, err := newSpool(dir)
	return &filterWriter{members, make([]uint64, countedBits/64)}, err
}

func (w *filterWriter) add(hash uint64) error {
	mark := home(hash, countedBits)
	w.marks[mark/64] |= 1 << (mark % 64)
	return w.members.add(hash)
}

// count estimates the number of different members.
func (w *filterWriter) count() int {
	free := 1 // never none
	for _, marks := range w.marks {
		free += 64 - bits.OnesCount64(marks)
	}
	return int(countedBits * math.Log(float64(countedBits+1)/float64(free)))
}

// writeTo writes names.prefixes.
func (w *filterWriter) writeTo(out io.Writer) error {
	blocks := w.count()*bitsPerMember/(8*bloomBlock) + 1
	filter := make(bloom, blocks*bloomBlock)
	for hash, err := range w.members.each() {
		if err != nil {
			return err
		}
		filter.add(hash)
	}
	header := binary.LittleEndian.AppendUint64([]byte(magic), uint64(blocks))
	if _, err := out.Write(header); err != nil {
		return err
	}
	_, err := out.Write(filter)
	return err
}

// openFilter checks the head of names.prefixes.
func openFilter(file []byte) (bloom, error) {
	blocks, filter, err := cutHeader(file)
	if err != nil || blocks == 0 || blocks != uint64(len(filter))/bloomBlock || len(filter)%bloomBlock != 0 {
		return nil, cmp.Or(err, errNotWritten)
	}
	return filter, nil
}
