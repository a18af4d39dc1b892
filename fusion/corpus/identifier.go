package corpus

import (
	"regexp"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// The sources of concepts that corpora annotate with, before their ids.
const (
	meshPrefix  = "MESH:"
	genePrefix  = "NCBIGene:"
	taxonPrefix = "NCBITaxon:"
)

// Ids of MeSH and of NCBI, as some corpora give them without a source.
var (
	bareMeSH   = regexp.MustCompile(`^[CD]\d+$`)
	bareNumber = regexp.MustCompile(`^\d+$`)
)

// Identifier is the id of a concept as it is compared, whether the corpus tells its
// source ("MESH:D003490") or not ("D003490", "672"): MESH:D003490, NCBIGene:672. Ids of other
// sources stay as they are.
func Identifier(id string) string {
	switch {
	case bareMeSH.MatchString(id):
		return meshPrefix + id
	case bareNumber.MatchString(id):
		return genePrefix + id
	}
	return id
}

// Means tells whether a candidate, with its codes told, is what an annotated mention
// stands for: whether one of its [Identifiers] is an annotated id. A number alone is of
// NCBI Gene or, as BioRED has it for organisms, of NCBI Taxonomy.
func (e Entity) Means(c graph.Candidate) bool {
	codes := Identifiers(c)
	return slices.ContainsFunc(e.Concepts, func(id string) bool {
		return slices.Contains(codes, Identifier(id)) || bareNumber.MatchString(id) && slices.Contains(codes, taxonPrefix+id)
	})
}

// The sources in a knowledge base: names of MeSH may end with its year, and NCBI Taxonomy
// is NCBI in UMLS.
const (
	meshSource = "MSH"
	geneSource = "NCBIGENE"
	cellSource = "CVCL"
)

var taxonSources = []string{"NCBI", "NCBITAXON"}

// Identifiers are the ids of a candidate that corpora annotate with, as [Identifier] writes
// them: its codes in MeSH, NCBI Gene, NCBI Taxonomy and Cellosaurus (CVCL_0030), where these
// are told. What follows a # in a code tells a gene and its protein apart, which corpora do not.
func Identifiers(c graph.Candidate) []string {
	var ids []string
	for _, code := range c.Codes {
		switch {
		case strings.HasPrefix(code.Source, meshSource):
			ids = append(ids, meshPrefix+code.Code)
		case code.Source == geneSource:
			number, _, _ := strings.Cut(strings.TrimPrefix(code.Code, genePrefix), "#")
			ids = append(ids, genePrefix+number)
		case slices.Contains(taxonSources, code.Source):
			ids = append(ids, taxonPrefix+strings.TrimPrefix(code.Code, taxonPrefix))
		case code.Source == cellSource:
			ids = append(ids, code.Code)
		}
	}
	return ids
}
