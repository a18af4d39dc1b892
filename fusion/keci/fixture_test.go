package keci

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/graph"
)

// wordPieces are enough to spell the texts of the tests.
var wordPieces = strings.Fields(`[PAD] [UNK] [CLS] [SEP]
	p53 mdm2 fk ##506 ##bp ##12 rapa ##mycin calcineurin heparin insulin receptor kinase β catenin wnt tumor cell ##s
	binds inhibits activates phosphorylates degrades the a complex of and with in by not protein drug gene disease
	sjogren cafe suppressor hormone small molecule ##ase ##in . , ( ) - : ; ! ? 1 2 ##1 ##2`)

// tinyBERT has room for the same windows as a real encoder.
var tinyBERT = encoder.Config{
	ModelType: "bert", VocabSize: len(wordPieces), HiddenSize: 16, NumHiddenLayers: 2, NumAttentionHeads: 2, IntermediateSize: 24,
	MaxPositionEmbeddings: 512, TypeVocabSize: 2, LayerNormEps: 1e-6, HiddenAct: "gelu", PositionEmbeddingType: "absolute",
}

// tinyConfig is the whole model with sizes that differ from one another, so
// that no two axes can be mistaken. Labels and vocabularies are those of
// newFakeKnowledge.
func tinyConfig() Config {
	return Config{
		Name: "tiny", FormatVersion: 1, Variant: VariantKECI,
		Head: Head{
			EntityTypes: []string{NoneLabel, "drug", "protein"}, RelationLabels: []string{NoneLabel, "binds", "inhibits"},
			Directed: true,
		},
		Span:      encoder.SpanConfig{MaxWidth: 3, WidthEmbedding: 4, Hidden: 10, Size: 8},
		KeptRatio: 0.7, Hidden: 9, SpanLayers: 2,
		Knowledge: KnowledgeConfig{
			Candidates: 2, Layers: 3, Size: 6, Bases: 2, NamePieces: 3, DefinitionPieces: 5,
			SemanticTypes: []graph.TUI{"T116", "T121"},
			Relations: []string{
				"has_semantic_type", "has_semantic_type⁻¹", "inhibits", "inhibits⁻¹", "interacts_with", "interacts_with⁻¹",
			},
		},
	}
}

// newEncoderFolder writes a BERT with random weights as a Hugging Face folder.
func newEncoderFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	data, err := json.Marshal(tinyBERT)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "config.json"), string(data))
	writeFile(t, filepath.Join(dir, "vocab.txt"), strings.Join(wordPieces, "\n")+"\n")
	store := model.NewStore()
	exec := model.MustNewExec(enginetest.Go(), store, func(root *model.Scope, ids, mask *Node) *Node {
		store.SetTraining(ids.Graph(), true)
		return encoder.BERT(root.At("encoder"), tinyBERT, ids, mask, 0)
	})
	if _, err := exec.Call([][]int32{{2, 3}}, [][]float32{{1, 1}}); err != nil {
		t.Fatal(err)
	}
	randomize(t, store, "/encoder/", 1)
	if err := modeldir.SaveWeights(store, tinyBERT, filepath.Join(dir, modeldir.WeightsFile), false); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// randomize draws new values for the weights under prefix, of a size that lets
// every part of the network have its say.
func randomize(t testing.TB, store *model.Store, prefix string, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	for _, v := range weightsOf(store) {
		if !strings.HasPrefix(v.Path(), prefix) || prefix == "/" && strings.HasPrefix(v.Path(), encoderPath+"/") {
			continue
		}
		values := make([]float32, v.Shape().Size())
		deviation := 0.3
		switch {
		case strings.HasPrefix(v.Path(), "/encoder/embeddings/"):
			deviation = 0.1 // as in a trained BERT, see nameScale
		case v.Shape().Rank() == 2:
			deviation = 0.8 / math.Sqrt(float64(v.Shape().Dim(0)))
		}
		for i := range values {
			values[i] = float32(random.NormFloat64() * deviation)
			if strings.HasSuffix(v.Path(), "/gain") {
				values[i]++
			}
		}
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(values, v.Shape().Dimensions...)); err != nil {
			t.Fatal(err)
		}
	}
}

// weightsOf lists the weights of a store by path.
func weightsOf(store *model.Store) []*model.Variable {
	var list []*model.Variable
	for v := range store.IterVariables() {
		if modeldir.IsWeight(v) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b *model.Variable) int { return cmp.Compare(a.Path(), b.Path()) })
	return list
}

// newRandomModel is a model with random weights, not yet in any folder.
func newRandomModel(t testing.TB, cfg Config, kb KnowledgeBase, seed uint64) *Model {
	t.Helper()
	return newRandomModelOn(t, newEncoderFolder(t), cfg, kb, seed)
}

// newRandomModelOn is one with the encoder in a folder.
func newRandomModelOn(t testing.TB, dir string, cfg Config, kb KnowledgeBase, seed uint64) *Model {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	m, err := newModel(enginetest.Go(), dir, cfg, kb)
	if err != nil {
		t.Fatal(err)
	}
	if err := encoder.LoadWeights(m.store, encoderPath, dir, m.encoderConfig); err != nil {
		t.Fatal(err)
	}
	if _, err := m.predictor.predict(t.Context(), m.batcher.alone(&instance{Graph: &background{}})); err != nil {
		t.Fatal(err)
	}
	if err := m.definitions.compile(); err != nil {
		t.Fatal(err)
	}
	randomize(t, m.store, "/", seed)
	return m
}

// newModelFolder writes a model with random weights.
func newModelFolder(t testing.TB, cfg Config, quantized bool) string {
	t.Helper()
	m := newRandomModel(t, cfg, newFakeKnowledge().base(), 5)
	dir := filepath.Join(t.TempDir(), "model")
	if err := modeldir.Save(dir, newEncoderFolder(t), m.cfg, m.encoderConfig, m.store, quantized); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openModel(t testing.TB, dir string, kb KnowledgeBase) *Model {
	t.Helper()
	m, err := Open(enginetest.Go(), dir, kb)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// everything makes every kept span a mention and every pair a relation, so
// that a test sees all that the model computes.
func everything(cfg Config) Config {
	cfg.EntityThreshold, cfg.RelationThreshold = 0, 0
	return cfg
}

// fakeKnowledge is a knowledge base of a few concepts. It answers Subgraph and
// Concept, each of which has the code of its number in NCBI Gene; the linker finds its names where they stand between other characters
// than letters and digits.
type fakeKnowledge struct {
	graph.Knowledge
	names         map[string][]graph.CUI // best candidate first
	concepts      map[graph.CUI]graph.Concept
	types         map[graph.TUI]graph.SemanticType
	relations     []graph.Relation
	typeRelations []graph.TypeRelation
}

func newFakeKnowledge() *fakeKnowledge {
	k := &fakeKnowledge{
		names: map[string][]graph.CUI{
			"p53": {"C1", "C2"}, "mdm2": {"C3"}, "rapamycin": {"C4"}, "fk506": {"C5", "C4"}, "β-catenin": {"C6"},
			"insulin": {"C7", "C2", "C1"}, "insulin receptor": {"C8"}, "Sjögren": {"C9"},
		},
		concepts: map[graph.CUI]graph.Concept{},
		types:    map[graph.TUI]graph.SemanticType{},
		relations: []graph.Relation{
			{Head: "C1", Label: "interacts_with", Tail: "C3"},
			{Head: "C3", Label: "interacts_with", Tail: "C1"},
			{Head: "C4", Label: "inhibits", Tail: "C8"},
			{Head: "C4", Label: "inhibits", Tail: "C5"},
			{Head: "C5", Label: "inhibits", Tail: "C4"},
			{Head: "C7", Label: "ligand_of", Tail: "C8"}, // a relation that training has not seen
			{Head: "C2", Label: "sibling", Tail: "C7"},   // and another
		},
		typeRelations: []graph.TypeRelation{
			{Head: "T121", Label: "interacts_with", Tail: "T116"},
			{Head: "T116", Label: "interacts_with", Tail: "T116"},
			{Head: "T047", Label: "affects", Tail: "T116"},
		},
	}
	for _, c := range []graph.Concept{
		{CUI: "C1", Name: "p53 protein", SemanticTypes: []graph.TUI{"T116"}, Definition: "a tumor suppressor protein in the cell"},
		{CUI: "C2", Name: "p53 gene", SemanticTypes: []graph.TUI{"T028"}, Definition: "the gene of p53"},
		{CUI: "C3", Name: "mdm2", SemanticTypes: []graph.TUI{"T116"}},
		{CUI: "C4", Name: "rapamycin", SemanticTypes: []graph.TUI{"T109", "T121"}, Definition: "drug"},
		{CUI: "C5", Name: "fk506", SemanticTypes: []graph.TUI{"T121"}, Definition: "a small molecule drug with a complex of fkbp12"},
		{CUI: "C6", Name: "β-catenin protein in the wnt complex", SemanticTypes: []graph.TUI{"T116"}},
		{CUI: "C7", Name: "insulin", SemanticTypes: []graph.TUI{"T116", "T121"}, Definition: "a hormone"},
		{CUI: "C8", Name: "insulin receptor", SemanticTypes: []graph.TUI{"T116"}, Definition: "kinase : receptor of insulin"},
		{CUI: "C9", Name: "Sjögren disease", SemanticTypes: []graph.TUI{"T047"}},
	} {
		k.concepts[c.CUI] = c
	}
	for tui, name := range map[graph.TUI]string{
		"T116": "protein", "T028": "gene", "T121": "drug", "T109": "small molecule", "T047": "disease",
	} {
		k.types[tui] = graph.SemanticType{TUI: tui, Name: name}
	}
	return k
}

// base is the knowledge as a model asks for it.
func (k *fakeKnowledge) base() KnowledgeBase {
	return KnowledgeBase{Linker: k, Knowledge: k, Provenance: graph.Provenance{Name: "fake", Digest: "sha256:0"}}
}

func (k *fakeKnowledge) Link(_ context.Context, text string) ([]graph.Mention, error) {
	var mentions []graph.Mention
	for _, name := range slices.Sorted(maps.Keys(k.names)) {
		for at := 0; ; {
			i := strings.Index(text[at:], name)
			if i < 0 {
				break
			}
			start, end := at+i, at+i+len(name)
			at = end
			before, _ := utf8.DecodeLastRuneInString(text[:start])
			after, _ := utf8.DecodeRuneInString(text[end:])
			if isWordRune(before) || isWordRune(after) {
				continue
			}
			m := graph.Mention{Start: start, End: end, Text: name}
			for i, cui := range k.names[name] {
				c := k.concepts[cui]
				m.Concepts = append(m.Concepts, graph.Candidate{CUI: cui, Name: c.Name, SemanticTypes: c.SemanticTypes, Matched: name, Confidence: 0.5 / float64(1+i)})
			}
			mentions = append(mentions, m)
		}
	}
	return mentions, nil
}

func (k *fakeKnowledge) Concept(_ context.Context, cui graph.CUI) (graph.Concept, error) {
	c, ok := k.concepts[cui]
	if !ok {
		return c, graph.ErrNotFound
	}
	c.Codes = []graph.Code{{Source: "NCBIGENE", Code: "NCBIGene:" + strings.TrimPrefix(string(cui), "C")}}
	return c, nil
}

func isWordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

func (k *fakeKnowledge) Subgraph(_ context.Context, cuis []graph.CUI) (graph.Subgraph, error) {
	var sub graph.Subgraph
	concepts, types := map[graph.CUI]bool{}, map[graph.TUI]bool{}
	for _, cui := range cuis {
		if c, ok := k.concepts[cui]; ok && !concepts[cui] {
			concepts[cui] = true
			sub.Concepts = append(sub.Concepts, c)
		}
	}
	for _, c := range sub.Concepts {
		for _, tui := range c.SemanticTypes {
			if !types[tui] {
				types[tui] = true
				sub.SemanticTypes = append(sub.SemanticTypes, k.types[tui])
			}
		}
	}
	for _, r := range k.relations {
		if concepts[r.Head] && concepts[r.Tail] {
			sub.Relations = append(sub.Relations, r)
		}
	}
	for _, r := range k.typeRelations {
		if types[r.Head] && types[r.Tail] {
			sub.TypeRelations = append(sub.TypeRelations, r)
		}
	}
	slices.SortFunc(sub.Concepts, func(a, b graph.Concept) int { return cmp.Compare(a.CUI, b.CUI) })
	slices.SortFunc(sub.SemanticTypes, func(a, b graph.SemanticType) int { return cmp.Compare(a.TUI, b.TUI) })
	slices.SortFunc(sub.Relations, func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Tail, b.Tail))
	})
	slices.SortFunc(sub.TypeRelations, func(a, b graph.TypeRelation) int {
		return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Tail, b.Tail))
	})
	return sub, nil
}

// randomText strings words together, names of concepts among them.
func randomText(random *rand.Rand, words int) string {
	all := strings.Fields(`p53 mdm2 rapamycin fk506 β-catenin insulin insulin_receptor Sjögren binds inhibits the of
		fkbp12 (p53) heparin, proteins kinase unspellable café calcineurin-kinase`)
	text := make([]string, words)
	for i := range text {
		text[i] = strings.ReplaceAll(all[random.IntN(len(all))], "_", " ")
	}
	return strings.Join(text, " ")
}

// mustInstance makes a text ready for the model.
func mustInstance(t testing.TB, m *Model, text string) *instance {
	t.Helper()
	instances, err := m.instances(t.Context(), corpus.Corpus{Examples: []corpus.Example{{Text: text}}})
	if err != nil {
		t.Fatal(err)
	}
	return instances[0]
}

// predictTogether runs instances as one batch with room for rows texts.
func predictTogether(t testing.TB, m *Model, rows int, instances ...*instance) prediction {
	t.Helper()
	if err := m.definitions.ensure(t.Context(), instances...); err != nil {
		t.Fatal(err)
	}
	p, err := m.predictor.predict(t.Context(), m.batcher.batch(m.batcher.shape(rows, instances), instances...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
