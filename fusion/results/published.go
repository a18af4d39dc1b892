package results

import "slices"

// Published are the F1 that the paper gives (Lai et al. 2021, tables 1 to 4),
// with SciBERT, in percent: BioRelEx on dev, ADE as the mean of ten folds.
type Published struct {
	Variant          string
	Entity, Relation float64
}

var published = map[string][]Published{
	"biorelex": {
		{"keci", 87.42, 66.09}, {"sent-context", 83.98, 63.90}, {"flat-attention", 84.32, 64.23}, {"knowbert", 85.69, 65.13},
		{"no-bigcn", 84.76, 64.25}, {"no-rgcn", 85.14, 65.32}, {"no-kge", 86.25, 65.29}, {"no-definitions", 86.76, 65.45},
	},
	"ade": {
		{"keci", 90.67, 81.74}, {"sent-context", 88.13, 77.23}, {"flat-attention", 89.16, 78.81}, {"knowbert", 90.08, 79.95},
	},
}

// InPaper finds what the paper gives for a variant.
func InPaper(corpus, variant string) (Published, bool) {
	for _, p := range published[corpus] {
		if p.Variant == variant {
			return p, true
		}
	}
	return Published{}, false
}

// isOfPaper tells whether the paper's tables have a variant.
func isOfPaper(variant string) bool { return variantRank(variant) < len(published["biorelex"]) }

// variantRank is the place of a variant in the paper's tables; others follow.
func variantRank(variant string) int {
	all := published["biorelex"]
	if i := slices.IndexFunc(all, func(p Published) bool { return p.Variant == variant }); i >= 0 {
		return i
	}
	return len(all)
}
