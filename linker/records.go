package linker

import (
	"encoding/binary"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// While a dictionary is built, names and concepts are strings that sort as they
// are to be written: names by normal form, concept and place among its names,
// concepts by identifier, bags by hash. What does not count for the order comes last.

const nul = "\x00" // less than any byte of a normal form or identifier

// nameRecord is normal form, NUL, concept, NUL, and three numbers.
type nameRecord struct {
	key     string
	name    uint32 // index among the names of the concept
	ordinal uint32 // of the concept, in the order in which they were added
	plurals uint64
}

const nameNumbers = 4 + 4 + 8

func appendNameRecord(to, key []byte, cui graph.CUI, name, ordinal uint32, plurals uint64) []byte {
	to = append(append(append(to, key...), nul+string(cui)...), nul...)
	to = binary.BigEndian.AppendUint32(to, name)
	to = binary.BigEndian.AppendUint32(to, ordinal)
	return binary.BigEndian.AppendUint64(to, plurals)
}

func splitNameRecord(record string) nameRecord {
	key, _, _ := strings.Cut(record, nul)
	numbers := []byte(record[len(record)-nameNumbers:])
	return nameRecord{
		key:     key,
		name:    binary.BigEndian.Uint32(numbers),
		ordinal: binary.BigEndian.Uint32(numbers[4:]),
		plurals: binary.BigEndian.Uint64(numbers[8:]),
	}
}

// bagRecord is the hash of a bag, concept, NUL, and two numbers.
type bagRecord struct {
	hash    uint64
	name    uint32 // index among the names of the concept
	ordinal uint32 // of the concept, in the order in which they were added
}

func appendBagRecord(to []byte, hash uint64, cui graph.CUI, name, ordinal uint32) []byte {
	to = binary.BigEndian.AppendUint64(to, hash)
	to = append(append(to, cui...), nul...)
	to = binary.BigEndian.AppendUint32(to, name)
	return binary.BigEndian.AppendUint32(to, ordinal)
}

func splitBagRecord(record string) bagRecord {
	numbers := []byte(record[len(record)-8:])
	return bagRecord{
		hash:    binary.BigEndian.Uint64([]byte(record[:8])),
		name:    binary.BigEndian.Uint32(numbers),
		ordinal: binary.BigEndian.Uint32(numbers[4:]),
	}
}

// conceptRecord is identifier, NUL, three numbers, and the encoded names.
type conceptRecord struct {
	cui       string
	ordinal   uint32
	types     uint32 // number of the set
	nameCount int
	names     string
}

const conceptNumbers = 4 + 4 + 4

func appendConceptRecord(to []byte, cui graph.CUI, ordinal, types uint32, nameCount int, names []byte) []byte {
	to = append(append(to, cui...), nul...)
	to = binary.BigEndian.AppendUint32(to, ordinal)
	to = binary.BigEndian.AppendUint32(to, types)
	to = binary.BigEndian.AppendUint32(to, uint32(nameCount))
	return append(to, names...)
}

func splitConceptRecord(record string) conceptRecord {
	cui, rest, _ := strings.Cut(record, nul)
	numbers := []byte(rest[:conceptNumbers])
	return conceptRecord{
		cui:       cui,
		ordinal:   binary.BigEndian.Uint32(numbers),
		types:     binary.BigEndian.Uint32(numbers[4:]),
		nameCount: int(binary.BigEndian.Uint32(numbers[8:])),
		names:     rest[conceptNumbers:],
	}
}
