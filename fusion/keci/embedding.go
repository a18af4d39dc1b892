package keci

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/fusion/kge"
)

// embeddingConfig describes embeddings that were learned with a knowledge base. A
// model reads names and definitions as far as they do.
func embeddingConfig(cfg Config, e *kge.Embeddings) (*EmbeddingConfig, error) {
	if k := cfg.Knowledge; k.NamePieces != kge.NamePieces || k.DefinitionPieces != kge.DefinitionPieces {
		return nil, fmt.Errorf("knowledge-graph embeddings read %d word pieces of a name and %d of a definition, the configuration says %d and %d",
			kge.NamePieces, kge.DefinitionPieces, k.NamePieces, k.DefinitionPieces)
	}
	return &EmbeddingConfig{Size: e.Size, SemanticTypes: e.SemanticTypes, KnowledgeBase: e.KnowledgeBase}, nil
}

// installEmbeddings takes the embeddings over as frozen weights, so that a model
// directory needs nothing beside it. They must have been learned with the same
// encoder: they read its word-piece vectors.
func (m *Model) installEmbeddings(e *kge.Embeddings) error {
	pieces, err := tensors.CopyFlatData[float32](m.store.GetVariable(wordPath).MustValue())
	if err != nil {
		return fmt.Errorf("read the word-piece vectors: %w", err)
	}
	texts := kge.Texts{Tokenizer: m.tokenizer, Pieces: pieces, Width: m.encoderConfig.HiddenSize}
	if texts.Digest() != e.Encoder {
		return fmt.Errorf("the embeddings of the knowledge base %s were learned with another encoder: make them again with keci kb embed --encoder", e.KnowledgeBase.Name)
	}
	return e.Install(m.store)
}
