package umls

import (
	"context"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// ConceptsOfCodes gives the concepts that a release knows under identifiers of open
// ontologies ("HP:0002664"), as far as they are wanted: by CODE in MRCONSO, which
// is such an identifier or, of some sources, what follows the colon. Identifiers
// are in capitals. Of several concepts it is that of the most preferred name.
// Languages and sources asked for do not matter here.
func (r *Release) ConceptsOfCodes(ctx context.Context, wanted func(id string) bool) (map[string]graph.CUI, error) {
	concepts, ranks := map[string]graph.CUI{}, map[string]int{}
	for row, err := range r.rows(ctx, mrconso) {
		if err != nil {
			return nil, err
		}
		if suppressed(row.fields[colSUPPRESS]) {
			continue
		}
		id := ontologyID(row.text(colSAB), row.text(colCODE))
		if id == "" || !wanted(id) {
			continue
		}
		rank := r.preference(row)
		if _, known := concepts[id]; !known || rank > ranks[id] {
			concepts[id], ranks[id] = graph.CUI(row.text(colCUI)), rank
		}
	}
	return concepts, nil
}

// prefixes are those of ontologies whose identifiers a source writes without them.
var prefixes = map[string]string{"FMA": "FMA", "MSH": "MESH", "NCBI": "NCBITAXON", "NCI": "NCIT", "OMIM": "OMIM"}

// ontologyID is the identifier of a code in open ontologies, or "".
func ontologyID(source, code string) string {
	if strings.Contains(code, ":") {
		return strings.ToUpper(code)
	}
	if prefix, known := prefixes[source]; known && code != "" {
		return prefix + ":" + strings.ToUpper(code)
	}
	return ""
}
