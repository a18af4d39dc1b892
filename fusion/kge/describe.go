package kge

import (
	"runtime"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/encoder"
)

// Texts reads texts as word pieces with frozen vectors, those of a pretrained
// encoder before its first layer. They cost nothing to look up.
type Texts struct {
	Tokenizer *encoder.Tokenizer
	Pieces    []float32 // [vocabulary, Width]
	Width     int
}

// describer makes descriptions of entities.
type describer struct {
	texts             Texts
	types             int       // T
	ofTypes           [][]int32 // of each entity
	concepts          int       // entities before the semantic types
	names, definition [][]int32 // word pieces of each entity
}

func newDescriber(f *Facts, texts Texts) *describer {
	d := &describer{texts: texts, types: len(f.types), concepts: f.concepts,
		ofTypes: make([][]int32, len(f.entities)), names: make([][]int32, len(f.entities)), definition: make([][]int32, len(f.entities))}
	parallel(len(f.entities), func(i int) {
		e := f.entities[i]
		d.ofTypes[i] = e.types
		d.names[i] = texts.ids(e.name, NamePieces)
		d.definition[i] = texts.ids(e.definition, DefinitionPieces)
	})
	return d
}

// ids are the first word pieces of a text.
func (t Texts) ids(text string, most int) []int32 {
	pieces := t.Tokenizer.Tokenize(text)
	ids := make([]int32, min(len(pieces), most))
	for i := range ids {
		ids[i] = pieces[i].ID
	}
	return ids
}

// describe is the description of entities, with room for so many rows: names and
// definitions [rows, H], types [rows, T+1].
func (d *describer) describe(entities []int32, rows int) [3]*tensors.Tensor {
	width, columns := d.texts.Width, d.types+1
	names, definitions, types := make([]float32, rows*width), make([]float32, rows*width), make([]float32, rows*columns)
	parallel(len(entities), func(row int) {
		i := entities[row]
		d.texts.mean(names[row*width:(row+1)*width], d.names[i])
		d.texts.mean(definitions[row*width:(row+1)*width], d.definition[i])
		for _, t := range d.ofTypes[i] {
			types[row*columns+int(t)] = 1 / float32(len(d.ofTypes[i]))
		}
		if int(i) >= d.concepts {
			types[row*columns+d.types] = 1
		}
	})
	return [3]*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(names, rows, width),
		tensors.FromFlatDataAndDimensions(definitions, rows, width),
		tensors.FromFlatDataAndDimensions(types, rows, columns),
	}
}

// mean writes the mean of the vectors of word pieces, 0 of none.
func (t Texts) mean(into []float32, ids []int32) {
	for _, id := range ids {
		for c, x := range t.Pieces[int(id)*t.Width : (int(id)+1)*t.Width] {
			into[c] += x
		}
	}
	for c := range into {
		into[c] /= float32(max(len(ids), 1))
	}
}

// parallel does n independent things on all processors.
func parallel(n int, do func(i int)) {
	var group sync.WaitGroup
	parts := runtime.GOMAXPROCS(0)
	for p := range parts {
		group.Go(func() {
			for i := p * n / parts; i < (p+1)*n/parts; i++ {
				do(i)
			}
		})
	}
	group.Wait()
}
