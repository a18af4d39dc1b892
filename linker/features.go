package linker

import (
	"bytes"
	"strings"
)

// features collects the features of a candidate: while it ranks, the sums of their
// weights; in training, the features themselves.
type features struct {
	weights hashTable // of weightPair, by hash of the feature
	rank    float64   // sum of the weights of the ranking
	span    float64   // sum of those of ranges

	names  map[uint64]string // in training, what the hashes stand for; else nil
	hashes []uint64
}

// value is a value of a feature with its hash.
type value struct {
	text []byte
	hash uint64
}

func valueOf(text []byte) value { return value{text, hashBytes(text)} }

func (f *features) add(kind byte, v value) {
	hash := featureHash(kind, v.hash)
	if f.names != nil {
		f.record(hash, kind, v.text)
		return
	}
	f.addWeight(hash)
}

// addPair adds a feature of a kind that is paired.
func (f *features) addPair(kind byte, first, second value) {
	hash := pairHash(featureHash(kind, first.hash), second.hash)
	if f.names != nil {
		f.record(hash, kind, first.text, second.text)
		return
	}
	f.addWeight(hash)
}

// addSmall adds a feature of small numbers, A for 0 to Z for 25 and more.
func (f *features) addSmall(kind byte, numbers ...int) {
	var text [8]byte
	for i, n := range numbers {
		text[i] = 'A' + byte(min(n, 25))
	}
	f.add(kind, valueOf(text[:len(numbers)]))
}

func (f *features) addWeight(hash uint64) {
	if pair, ok := f.weights.get(hash); ok {
		w := weightPair(pair)
		f.rank += w.rank()
		f.span += w.span()
	}
}

// record keeps a feature for training.
func (f *features) record(hash uint64, kind byte, values ...[]byte) {
	f.hashes = append(f.hashes, hash)
	if _, known := f.names[hash]; !known {
		f.names[hash] = string(kind) + ":" + string(bytes.Join(values, []byte("|")))
	}
}

func featureHash(kind byte, value uint64) uint64 {
	return mix(value+uint64(kind)*0x9e3779b97f4a7c15) | 1
}

func pairHash(first, second uint64) uint64 { return mix(first*0x9e3779b97f4a7c15+second) | 1 }

// hashOfName is the hash of a feature as a model names it: kind, ":", and its
// values, with "|" between the two of a paired kind.
func hashOfName(name string) (hash uint64, ok bool) {
	if len(name) < 2 || name[1] != ':' {
		return 0, false
	}
	kind, text := name[0], name[2:]
	if !paired(kind) {
		return featureHash(kind, hashBytes([]byte(text))), true
	}
	first, second, ok := strings.Cut(text, "|")
	return pairHash(featureHash(kind, hashBytes([]byte(first))), hashBytes([]byte(second))), ok
}
