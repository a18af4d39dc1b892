package graph

// CUISet is a set of concept identifiers. It takes a bit for each identifier of
// the usual shape, a letter and seven digits, so that the millions of a whole
// release take a megabyte. The zero value is empty. It is not safe for
// concurrent use.
type CUISet struct {
	usual  map[uint32][]uint64 // by letter: a bit for each number
	others map[CUI]struct{}
	size   int
}

// Add adds an identifier and reports whether it was not there before.
func (s *CUISet) Add(id CUI) bool {
	if s.Has(id) {
		return false
	}
	s.size++
	if letter, number, ok := usualCUI(id); ok {
		if s.usual == nil {
			s.usual = map[uint32][]uint64{}
		}
		if s.usual[letter] == nil {
			s.usual[letter] = make([]uint64, (cuiNumbers+63)/64)
		}
		s.usual[letter][number/64] |= 1 << (number % 64)
		return true
	}
	if s.others == nil {
		s.others = map[CUI]struct{}{}
	}
	s.others[id] = struct{}{}
	return true
}

// Has reports whether an identifier is in the set.
func (s *CUISet) Has(id CUI) bool {
	if letter, number, ok := usualCUI(id); ok {
		bits := s.usual[letter]
		return bits != nil && bits[number/64]&(1<<(number%64)) != 0
	}
	_, known := s.others[id]
	return known
}

// Len is the number of identifiers.
func (s *CUISet) Len() int { return s.size }

// usualCUI takes apart an identifier of the usual shape.
func usualCUI(id CUI) (letter, number uint32, ok bool) {
	n, ok := id.Number()
	return n / cuiNumbers, n % cuiNumbers, ok
}
