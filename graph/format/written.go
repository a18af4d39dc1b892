package format

import (
	"crypto/sha256"
	"fmt"

	"github.com/keci-kg/keci/graph"
)

// written knows the documents that were written, by the names that they have in
// a form where no two may have the same.
type written map[string]writtenDocument

// writtenDocument is what is known of one; of its text the hash, so that millions fit.
type writtenDocument struct {
	id   string
	text [sha256.Size]byte
}

// again tells that the document was written before. It is an error when the name is
// that of another document.
func (w written) again(name string, d graph.Document) (bool, error) {
	this := writtenDocument{d.ID, sha256.Sum256([]byte(d.Text))}
	before, known := w[name]
	switch {
	case !known:
		w[name] = this
		return false, nil
	case before.id != this.id:
		return false, fmt.Errorf("the documents %q and %q would both be %q in this form: give one of them another id", before.id, d.ID, name)
	case before != this:
		return false, fmt.Errorf("two documents with different texts have the id %q: give one of them another id", d.ID)
	}
	return true, nil
}
