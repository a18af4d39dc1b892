package encoder

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// batchPieces is how many pieces, padding included, are computed at once: enough to keep the processor busy.
const batchPieces = 1024

// Encoder is a tokenizer and a BERT ready to run. It is safe for concurrent use.
type Encoder struct {
	Tokenizer *Tokenizer
	Config    Config
	forward   *model.Exec
	compiling *sync.Mutex // held while forward runs where every shape is compiled by itself; nil where all are one graph
}

// Encoded is a text as the encoder sees it.
type Encoded struct {
	Pieces  []Piece
	Vectors [][]float32 // one of Config.HiddenSize for each piece
}

// Open reads a Hugging Face folder: configuration, vocabulary and weights.
func Open(backend compute.Backend, dir string) (*Encoder, error) {
	config, err := LoadConfig(dir)
	if err != nil {
		return nil, err
	}
	tokenizer, err := LoadTokenizer(dir)
	if err != nil {
		return nil, err
	}
	if tokenizer.VocabSize() > config.VocabSize {
		return nil, fmt.Errorf("open encoder %s: %s has %d pieces, vocab_size of %s is %d",
			dir, vocabFile, tokenizer.VocabSize(), configFile, config.VocabSize)
	}
	store := model.NewStore()
	if err := LoadWeights(store, "/", dir, config); err != nil {
		return nil, err
	}
	forward, err := model.NewExec(backend, store, func(root *model.Scope, ids, mask *Node) *Node {
		return BERT(root, config, ids, mask, 0)
	})
	if err != nil {
		return nil, fmt.Errorf("open encoder %s: %w", dir, err)
	}
	e := &Encoder{Tokenizer: tokenizer, Config: config, forward: forward.SetMaxCache(-1)}
	if backend.Capabilities().DynamicShapes == compute.DynamicShapesNone {
		e.compiling = &sync.Mutex{}
	} else {
		axes := []string{"batch", "seq"}
		forward.WithDynamicAxes(axes, axes)
	}
	// The first call compiles the graph, which cannot be done twice at the same time; later calls can.
	if _, err := e.Forward([][]int32{{tokenizer.CLS(), tokenizer.SEP()}}); err != nil {
		return nil, fmt.Errorf("open encoder %s: %w", dir, err)
	}
	return e, nil
}

// Forward runs BERT over rows of ids and gives the vectors of each row, padding left out. A row has at least
// one and at most Config.MaxPositionEmbeddings ids, each below Config.VocabSize.
func (e *Encoder) Forward(rows [][]int32) ([][][]float32, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	seq := len(slices.MaxFunc(rows, func(a, b []int32) int { return cmp.Compare(len(a), len(b)) }))
	if seq > e.Config.MaxPositionEmbeddings {
		return nil, fmt.Errorf("encode: a row of %d pieces, the encoder reads at most %d", seq, e.Config.MaxPositionEmbeddings)
	}
	ids, mask := make([]int32, len(rows)*seq), make([]int32, len(rows)*seq)
	for r, row := range rows {
		for c := range seq {
			ids[r*seq+c] = e.Tokenizer.Pad()
		}
		copy(ids[r*seq:], row)
		for c := range row {
			mask[r*seq+c] = 1
		}
	}
	out, err := e.call(
		tensors.FromFlatDataAndDimensions(ids, len(rows), seq),
		tensors.FromFlatDataAndDimensions(mask, len(rows), seq))
	if err != nil {
		return nil, fmt.Errorf("encode %d rows of %d pieces: %w", len(rows), seq, err)
	}
	defer out[0].FinalizeAll()
	flat, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return nil, fmt.Errorf("encode %d rows of %d pieces: %w", len(rows), seq, err)
	}
	return unpack(flat, rows, seq, e.Config.HiddenSize), nil
}

// call runs the graph; nothing else may run while one is compiled.
func (e *Encoder) call(ids, mask *tensors.Tensor) ([]*tensors.Tensor, error) {
	if e.compiling != nil {
		e.compiling.Lock()
		defer e.compiling.Unlock()
	}
	return e.forward.Call(ids, mask)
}

// unpack cuts [rows, seq, width] values into the vectors of each row.
func unpack(flat []float32, rows [][]int32, seq, width int) [][][]float32 {
	vectors := make([][][]float32, len(rows))
	for r, row := range rows {
		vectors[r] = make([][]float32, len(row))
		for c := range row {
			at := (r*seq + c) * width
			vectors[r][c] = flat[at : at+width : at+width]
		}
	}
	return vectors
}

// textWindow is a window of one of several texts.
type textWindow struct {
	text int
	Window
}

// Encode gives the word pieces of each text and their vectors. Texts that are longer than the encoder reads
// are read in overlapping windows, see [Windows].
func (e *Encoder) Encode(ctx context.Context, texts []string) ([]Encoded, error) {
	encoded := make([]Encoded, len(texts))
	var windows []textWindow
	size := e.Config.MaxPositionEmbeddings - 2 // [CLS] and [SEP]
	for i, text := range texts {
		pieces := e.Tokenizer.Tokenize(text)
		encoded[i] = Encoded{Pieces: pieces, Vectors: make([][]float32, len(pieces))}
		for _, w := range Windows(len(pieces), size, (size+1)/2) {
			windows = append(windows, textWindow{i, w})
		}
	}
	// Windows of about the same length go together, so that little is padding.
	slices.SortStableFunc(windows, func(a, b textWindow) int { return cmp.Compare(b.length(), a.length()) })
	for len(windows) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(max(batchPieces/windows[0].length(), 1), len(windows))
		if err := e.encodeBatch(encoded, windows[:n]); err != nil {
			return nil, err
		}
		windows = windows[n:]
	}
	return encoded, nil
}

// length counts [CLS] and [SEP].
func (w textWindow) length() int { return w.End - w.Start + 2 }

// encodeBatch fills in the vectors that are taken from the windows.
func (e *Encoder) encodeBatch(encoded []Encoded, windows []textWindow) error {
	rows := make([][]int32, len(windows))
	for r, w := range windows {
		row := append(make([]int32, 0, w.length()), e.Tokenizer.CLS())
		for _, piece := range encoded[w.text].Pieces[w.Start:w.End] {
			row = append(row, piece.ID)
		}
		rows[r] = append(row, e.Tokenizer.SEP())
	}
	vectors, err := e.Forward(rows)
	if err != nil {
		return err
	}
	for r, w := range windows {
		copy(encoded[w.text].Vectors[w.From:w.To], vectors[r][1+w.From-w.Start:])
	}
	return nil
}
