package encoder

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// MaskedHead is the transform of BERT's head for masked-language modelling (Devlin et al. 2019): a dense layer
// with the activation of cfg and a normalization, over vectors [n, hidden]. Multiplied by [WordEmbeddings] the
// result gives the scores of the word pieces, but for a bias of each.
func MaskedHead(scope *model.Scope, cfg Config, x *Node) *Node {
	return layerNorm(scope, cfg, dense(scope, x, cfg.HiddenSize, activations[cfg.HiddenAct]))
}
