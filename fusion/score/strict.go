package score

// compareStrictly fills EntityTypes and RelationLabels.
func (r *Result) compareStrictly(pairs []pair) {
	r.EntityTypes, r.RelationLabels = ByLabel{}, ByLabel{}
	for _, p := range pairs {
		compare(p.gold.mentions, p.predicted.mentions, func(m span, c Counts) {
			r.EntityTypes[m.typ] = r.EntityTypes[m.typ].Add(c)
		})
		compare(p.gold.triples, p.predicted.triples, func(t triple, c Counts) {
			r.RelationLabels[t.label] = r.RelationLabels[t.label].Add(c)
		})
	}
}

// compare tells count for each member of either set what it is.
func compare[T comparable](gold, predicted map[T]bool, count func(member T, as Counts)) {
	for x := range gold {
		if predicted[x] {
			count(x, Counts{TP: 1})
		} else {
			count(x, Counts{FN: 1})
		}
	}
	for x := range predicted {
		if !gold[x] {
			count(x, Counts{FP: 1})
		}
	}
}
