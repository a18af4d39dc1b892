package keci

// Variant names a variation of the model whose results the paper gives (KECI,
// tables 1–4).
type Variant string

// The variants that can be trained and served.
const (
	VariantKECI          Variant = "keci"           // everything
	VariantSentContext   Variant = "sent-context"   // no knowledge: the initial span graph is the output
	VariantFlatAttention Variant = "flat-attention" // no collective inference: h_i = s_i, n_j of v_j⁰
	VariantKnowBERT      Variant = "knowbert"       // knowledge enters the token vectors (Peters et al. 2019); the initial span graph is the output
	VariantNoBiGCN       Variant = "no-bigcn"       // h_i = s_i
	VariantNoRGCN        Variant = "no-rgcn"        // n_j of v_j⁰
	VariantNoKGE         Variant = "no-kge"         // no knowledge-graph embeddings in v_j⁰
	VariantNoDefinitions Variant = "no-definitions" // no definitions in v_j⁰
)

// parts are the switches of the model: what a variant has of it.
type parts struct {
	knowledge   bool // candidates of the linker, and what the knowledge base says of them
	kar         bool // knowledge attention and recontextualization of the token vectors
	fusion      bool // attention fuses spans with candidates into a final span graph
	bigcn       bool // the convolution over the initial span graph
	rgcn        bool // the convolution over the background knowledge graph
	kge         bool // nodes have knowledge-graph embeddings, where the model was trained with some
	definitions bool // nodes have the encoder's vectors of their definitions
}

// variants are the rows of the paper's tables, in the order of the documentation.
var variants = []struct {
	name Variant
	has  parts
}{
	{VariantKECI, parts{knowledge: true, fusion: true, bigcn: true, rgcn: true, kge: true, definitions: true}},
	{VariantSentContext, parts{}},
	{VariantFlatAttention, parts{knowledge: true, fusion: true, kge: true, definitions: true}},
	{VariantKnowBERT, parts{knowledge: true, kar: true, kge: true, definitions: true}},
	{VariantNoBiGCN, parts{knowledge: true, fusion: true, rgcn: true, kge: true, definitions: true}},
	{VariantNoRGCN, parts{knowledge: true, fusion: true, bigcn: true, kge: true, definitions: true}},
	{VariantNoKGE, parts{knowledge: true, fusion: true, bigcn: true, rgcn: true, definitions: true}},
	{VariantNoDefinitions, parts{knowledge: true, fusion: true, bigcn: true, rgcn: true, kge: true}},
}

// Variants lists the variants in the order of the documentation.
func Variants() []Variant {
	var names []Variant
	for _, v := range variants {
		names = append(names, v.name)
	}
	return names
}

// ReadsEmbeddings tells whether the variant reads knowledge-graph embeddings.
func (v Variant) ReadsEmbeddings() bool { return v.parts().kge }

// parts of a variant that does not exist are none.
func (v Variant) parts() parts {
	for _, known := range variants {
		if known.name == v {
			return known.has
		}
	}
	return parts{}
}
