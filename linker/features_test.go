package linker

import (
	"context"
	"testing"
)

// A model names features; a linker hashes their parts. Both must mean the same.
func TestFeaturesAreFoundByName(t *testing.T) {
	l := buildTest(t, testConcepts)
	s := l.newScratch()
	s.features.names = map[uint64]string{}
	l.training = true
	if err := l.match(context.Background(), s, "CAT and IL-2 receptor in solitary lung cancers, peptidyl-prolyl isomerases and cancerous lungs"); err != nil {
		t.Fatal(err)
	}
	kinds := map[byte]bool{}
	l.eachMatch(s, func(k, longest int) {
		m := &s.matches[k]
		s.mentionFeatures(&s.features, k, longest)
		for rank := range m.lastHit - m.firstHit {
			s.candidateFeatures(&s.features, m, rank, 3)
		}
	})
	for hash, name := range s.features.names {
		if got, ok := hashOfName(name); got != hash || !ok {
			t.Errorf("%q has hash %x by name, %x in a text", name, got, hash)
		}
		kinds[name[0]] = true
	}
	if len(kinds) != 25 {
		t.Errorf("%d kinds of features", len(kinds))
	}
}

func TestHashTable(t *testing.T) {
	table := newHashTable(1000)
	for i := range uint64(1000) {
		table.set(mix(i+1), uint32(i))
	}
	for i := range uint64(2000) {
		value, ok := table.get(mix(i + 1))
		if ok != (i < 1000) || ok && value != uint32(i) {
			t.Fatalf("%d: %d, %v", i, value, ok)
		}
	}
	if _, ok := new(hashTable).get(1); ok {
		t.Error("an empty table holds something")
	}
}

func TestWeightPair(t *testing.T) {
	for _, test := range [][2]float64{{0, 0}, {1.25, -3.5}, {-0.1, 0.1}, {-9.876, 9.876}} {
		p := newWeightPair(test[0], test[1])
		if got := [2]float64{p.rank(), p.span()}; got != test {
			t.Errorf("got %v, want %v", got, test)
		}
	}
	if p := newWeightPair(1000, -1000); p.rank() < 32 || p.span() > -32 {
		t.Errorf("weights out of range become %v and %v", p.rank(), p.span())
	}
}
