package keci

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// abstract has several sentences of different length, with definitions of
// concepts to encode.
const abstract = "The p53 protein binds mdm2. Not rapamycin (a drug) but fk506 and fk506-binding proteins of the tumor cell inhibit calcineurin! " +
	"In Sjögren disease β-catenin and insulin receptor kinase degrade. Insulin binds the insulin receptor."

// seesEverything is a model with random weights that reports all it computes.
func seesEverything(t testing.TB, k *fakeKnowledge) *Model {
	t.Helper()
	return newRandomModel(t, everything(tinyConfig()), k.base(), 3)
}

func extract(t testing.TB, m *Model, text string) graph.Document {
	t.Helper()
	doc, err := m.Extract(t.Context(), graph.Document{ID: "d", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// predictText runs a text without decoding, so that every bit is seen.
func predictText(ctx context.Context, m *Model, text string) ([]prediction, error) {
	r, err := m.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	predictions, err := m.predictAll(ctx, []reading{r})
	if err != nil {
		return nil, err
	}
	return predictions[0], nil
}

func bitsOf(t testing.TB, m *Model, text string) []prediction {
	t.Helper()
	bits, err := predictText(t.Context(), m, text)
	if err != nil {
		t.Fatal(err)
	}
	return bits
}

func sameBits(a, b []prediction) bool {
	return cmp.Equal(a, b, cmp.AllowUnexported(prediction{}))
}

func TestExtract(t *testing.T) {
	m := seesEverything(t, newFakeKnowledge())
	doc := extract(t, m, abstract)
	if doc.ID != "d" || doc.Offsets != graph.OffsetByte || doc.Model.Name != "tiny" || doc.KB.Name != "fake" {
		t.Errorf("document %q counts %q, model %v, knowledge base %v", doc.ID, doc.Offsets, doc.Model, doc.KB)
	}
	if len(doc.Mentions) < 20 || len(doc.Relations) < 100 {
		t.Fatalf("%d mentions and %d relations: the test sees too little", len(doc.Mentions), len(doc.Relations))
	}
	known := map[string]graph.Mention{}
	for i, mention := range doc.Mentions {
		if want := fmt.Sprintf("T%d", i+1); mention.ID != want {
			t.Errorf("mention %d has id %s, want %s", i, mention.ID, want)
		}
		checkMention(t, mention)
		known[mention.ID] = mention
	}
	for _, r := range doc.Relations {
		head, tail := known[r.Head], known[r.Tail]
		if head.ID == "" || tail.ID == "" || head.ID == tail.ID || r.Label == "" || !r.Directed {
			t.Errorf("relation %+v is not one between two mentions", r)
		}
	}
}

func checkMention(t *testing.T, m graph.Mention) {
	t.Helper()
	if abstract[m.Start:m.End] != m.Text {
		t.Errorf("mention %s: %q is not the text from %d to %d", m.ID, m.Text, m.Start, m.End)
	}
	if m.Type == "" || m.Initial == nil || m.Initial.Type == "" || m.Sentinel == nil || m.Concepts == nil {
		t.Fatalf("mention %+v lacks a part", m)
	}
	sum := *m.Sentinel
	for i, c := range m.Concepts {
		sum += *c.Weight
		if i > 0 && c.Confidence > m.Concepts[i-1].Confidence {
			t.Errorf("mention %s: the linker holds concept %s for likelier than the one before it", m.ID, c.CUI)
		}
	}
	if math.Abs(sum-1) > 3e-4 { // each is rounded to four places
		t.Errorf("mention %s: attention sums to %g", m.ID, sum)
	}
}

func TestUndirectedRelationsAreFoundOnce(t *testing.T) {
	cfg := everything(tinyConfig())
	cfg.Directed = false
	doc := extract(t, newRandomModel(t, cfg, newFakeKnowledge().base(), 3), "p53 binds mdm2")
	n := len(doc.Mentions)
	if n < 3 || len(doc.Relations) != n*(n-1)/2 {
		t.Errorf("%d relations among %d mentions, want one for each pair", len(doc.Relations), n)
	}
}

// TestNeighborsInABatch: a text gives the same answer alone, with others, with
// empty rows, and in another row.
func TestNeighborsInABatch(t *testing.T) {
	m := seesEverything(t, newFakeKnowledge())
	var instances []*instance
	for _, text := range []string{"p53 binds mdm2", "rapamycin", strings.Repeat("insulin inhibits the β-catenin and ", 12), "fk506, a drug of Sjögren disease"} {
		instances = append(instances, mustInstance(t, m, text))
	}
	together := predictTogether(t, m, len(instances)+2, instances...)
	for row, in := range instances {
		alone := predictTogether(t, m, 1, in)
		slots := min(keptSpans(m.cfg, len(in.Pieces)), len(in.Spans))
		closeTo(t, "final types", alone.finalTypes, together.finalTypes[row*together.most*3:], slots*3)
		closeTo(t, "attention", alone.attention, together.attention[row*together.most*3:], slots*3)
		for slot := range slots {
			if alone.kept[slot] != together.kept[row*together.most+slot] {
				t.Errorf("%q keeps other spans among neighbours", in.Text)
			}
			closeTo(t, "final relations", alone.finalRelations[slot*alone.most*3:], together.finalRelations[(row*together.most+slot)*together.most*3:], slots*3)
		}
	}
}

func closeTo(t *testing.T, what string, got, want []float32, n int) {
	t.Helper()
	for i := range n {
		if !(math.Abs(float64(got[i]-want[i])) < 1e-5) {
			t.Fatalf("%s, value %d: %g alone, %g among neighbours", what, i, got[i], want[i])
		}
	}
}

// TestExtractIsDeterministic: no bit depends on repetition, on what else is
// computed at the same time or before, or on the number of processors.
func TestExtractIsDeterministic(t *testing.T) {
	k := newFakeKnowledge()
	want := bitsOf(t, seesEverything(t, k), abstract)
	document := extract(t, seesEverything(t, k), abstract)

	t.Run("at the same time", func(t *testing.T) {
		m := seesEverything(t, k)
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				_, err := predictText(t.Context(), m, strings.Repeat("insulin binds fk506 ", 1+i%5))
				bits, err2 := predictText(t.Context(), m, abstract)
				got, err3 := m.Extract(t.Context(), graph.Document{ID: "d", Text: abstract})
				if err := errors.Join(err, err2, err3); err != nil {
					t.Error(err)
				}
				if !sameBits(want, bits) {
					t.Error("another result at the same time")
				}
				if diff := cmp.Diff(document, got); diff != "" {
					t.Errorf("another document (-want +got):\n%s", diff)
				}
			})
		}
		group.Wait()
	})
	t.Run("after others", func(t *testing.T) {
		m := seesEverything(t, k)
		for _, text := range []string{"Insulin binds insulin receptor.", "insulin of fk506", "rapamycin or p53"} { // definitions in another order
			bitsOf(t, m, text)
		}
		for range 3 {
			if !sameBits(want, bitsOf(t, m, abstract)) {
				t.Error("another result after other texts")
			}
		}
	})
	t.Run("with other neighbours", func(t *testing.T) {
		m := seesEverything(t, k)
		got := bitsOf(t, m, "Fk506 binds insulin. "+abstract+" Rapamycin!")
		if !sameBits(want, got[1:len(got)-1]) {
			t.Error("another result beside other sentences")
		}
	})
	for _, processors := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprintf("%d processors", processors), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
			if !sameBits(want, bitsOf(t, seesEverything(t, k), abstract)) {
				t.Error("another result")
			}
		})
	}
}

func TestExtractStops(t *testing.T) {
	m := seesEverything(t, newFakeKnowledge())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Extract(ctx, graph.Document{ID: "d1", Text: abstract}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "d1") {
		t.Errorf("error %v, want that of the context with the document's id", err)
	}
}

// faultyLinker fails as a damaged knowledge base does.
type faultyLinker struct{ *fakeKnowledge }

var errFault = errors.New("page 7 is damaged")

func (faultyLinker) Link(context.Context, string) ([]graph.Mention, error) { return nil, errFault }

func TestExtractTellsFaultsOfTheKnowledgeBase(t *testing.T) {
	k := newFakeKnowledge()
	kb := k.base()
	kb.Linker = faultyLinker{k}
	m := newRandomModel(t, tinyConfig(), kb, 3)
	if _, err := m.Extract(t.Context(), graph.Document{ID: "d1", Text: abstract}); !errors.Is(err, errFault) || !strings.Contains(err.Error(), "d1") {
		t.Errorf("error %v, want the linker's with the document's id", err)
	}
}

func TestTextsWithNothingToFind(t *testing.T) {
	m := openModel(t, newModelFolder(t, everything(tinyConfig()), false), newFakeKnowledge().base())
	for _, text := range []string{"", " \n\t ", "\u200b", "\xff\xfe", "\u0301"} {
		doc := extract(t, m, text)
		if len(doc.Mentions) != 0 || len(doc.Relations) != 0 || doc.Mentions == nil || doc.Relations == nil {
			t.Errorf("%q gives %+v, want an empty graph", text, doc)
		}
	}
	for _, text := range []string{"!?", "...", "😀", "👩🏽‍🔬 🧬", "( ) - . ;", strings.Repeat("!", 300)} { // to BERT these are words
		for _, mention := range extract(t, m, text).Mentions {
			if text[mention.Start:mention.End] != mention.Text {
				t.Errorf("%q: mention %+v", text, mention)
			}
		}
	}
}

func TestOffsetsOfUnicodeTexts(t *testing.T) {
	m := seesEverything(t, newFakeKnowledge())
	for _, test := range []struct {
		text string
		want []string // what has candidates
	}{
		{"🧬 β-catenin binds", []string{"β-catenin"}},
		{"👩🏽‍🔬: a café with β-catenin", []string{"β-catenin"}},
		{"Sjögren disease", []string{"Sjögren"}},
		{"cafe\u0301 😀 insulin receptor", []string{"insulin", "insulin receptor"}},
		{"“p53”\u00a0binds\u202fmdm2", []string{"p53", "mdm2"}},
		{"β-catenin. Ünbekannt 😀 p53! 𝔭53 and mdm2", []string{"β-catenin", "p53", "mdm2"}},
		{"\ufeffp53", []string{"p53"}},
		{"蛋白质 p53。結合 mdm2", []string{"p53", "mdm2"}},
	} {
		r, err := m.prepare(t.Context(), test.text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, in := range r.instances {
			for n, span := range in.Spans {
				if len(in.Candidates[n]) > 0 {
					start := r.windows[i].Start
					got = append(got, test.text[start+in.start(span):start+in.end(span)])
				}
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q: what has candidates (-want +got):\n%s", test.text, diff)
		}
		for _, mention := range extract(t, m, test.text).Mentions {
			if test.text[mention.Start:mention.End] != mention.Text || !utf8.ValidString(mention.Text) {
				t.Errorf("%q: mention %+v", test.text, mention)
			}
		}
	}
}
