package embedded

import "github.com/keci-kg/keci/graph"

// ordinals are the places of concepts in their order. It takes four bytes for
// each number around that of a concept of the usual shape, so that the millions
// of a whole UMLS take some 40 MB. The zero value is empty.
type ordinals struct {
	pages  []*[ordinalPage]uint32 // by CUI.Number; 0 is none, otherwise the place plus one
	others map[graph.CUI]uint32
	cuis   []graph.CUI
}

const ordinalPage = 4096

// add adds a concept after all others.
func (o *ordinals) add(cui graph.CUI) {
	o.cuis = append(o.cuis, cui)
	n, usual := cui.Number()
	if !usual {
		if o.others == nil {
			o.others = map[graph.CUI]uint32{}
		}
		o.others[cui] = uint32(len(o.cuis))
		return
	}
	page := int(n / ordinalPage)
	if page >= len(o.pages) {
		o.pages = append(o.pages, make([]*[ordinalPage]uint32, page+1-len(o.pages))...)
	}
	if o.pages[page] == nil {
		o.pages[page] = new([ordinalPage]uint32)
	}
	o.pages[page][n%ordinalPage] = uint32(len(o.cuis))
}

// of is the place of a concept.
func (o *ordinals) of(cui graph.CUI) (ordinal uint32, known bool) {
	n, usual := cui.Number()
	switch page := int(n / ordinalPage); {
	case !usual:
		ordinal = o.others[cui]
	case page < len(o.pages) && o.pages[page] != nil:
		ordinal = o.pages[page][n%ordinalPage]
	}
	return ordinal - 1, ordinal > 0
}

func (o *ordinals) has(cui graph.CUI) bool {
	_, known := o.of(cui)
	return known
}

func (o *ordinals) cui(ordinal uint32) graph.CUI { return o.cuis[ordinal] }
