package encoder

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nlpodyssey/gopickle/pytorch"
	"github.com/nlpodyssey/gopickle/types"

	"github.com/keci-kg/keci/internal/tensorfile"
)

// readPyTorch reads the tensors of floating-point numbers in a file that PyTorch
// saved, sorted by name. Others, such as the numbers of positions, are passed
// over, and so are the heads of pretraining.
func readPyTorch(path string) (list []tensorfile.Tensor, err error) {
	defer func() {
		if cause := recover(); cause != nil { // the reader of pickles panics on some damaged files
			err = fmt.Errorf("damaged file: %v", cause)
		}
	}()
	content, err := pytorch.Load(path)
	if err != nil {
		return nil, fmt.Errorf("no weights of PyTorch: %w", err)
	}
	err = eachEntry(content, func(key, value any) error {
		name, isName := key.(string)
		tensor, isTensor := value.(*pytorch.Tensor)
		if !isName || !isTensor || ignored(name) {
			return nil
		}
		values, ok, err := floatsOf(tensor)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", name, err)
		}
		if ok {
			list = append(list, tensorfile.Float32(name, tensor.Size, values))
		}
		return nil
	})
	slices.SortFunc(list, func(a, b tensorfile.Tensor) int { return cmp.Compare(a.Name, b.Name) })
	return list, err
}

// eachEntry goes through a dictionary of Python.
func eachEntry(content any, visit func(key, value any) error) error {
	switch dictionary := content.(type) {
	case *types.OrderedDict:
		for e := dictionary.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			if err := visit(entry.Key, entry.Value); err != nil {
				return err
			}
		}
	case *types.Dict:
		for _, entry := range *dictionary {
			if err := visit(entry.Key, entry.Value); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("no weights of PyTorch: the file holds a %T and not names with tensors", content)
	}
	return nil
}

// floatsOf gives the numbers of a tensor row by row; ok is false for a tensor of
// whole numbers.
func floatsOf(t *pytorch.Tensor) (values []float32, ok bool, err error) {
	var stored []float32
	switch source := t.Source.(type) {
	case *pytorch.FloatStorage:
		stored = source.Data
	case *pytorch.HalfStorage:
		stored = source.Data
	case *pytorch.BFloat16Storage:
		stored = source.Data
	case *pytorch.DoubleStorage:
		stored = make([]float32, len(source.Data))
		for i, x := range source.Data {
			stored[i] = float32(x)
		}
	default:
		return nil, false, nil
	}
	size := 1
	for _, n := range t.Size {
		size *= n
	}
	values = make([]float32, size)
	for i := range values {
		at, rest := t.StorageOffset, i
		for axis := len(t.Size) - 1; axis >= 0; axis-- {
			at += rest % t.Size[axis] * t.Stride[axis]
			rest /= t.Size[axis]
		}
		if at < 0 || at >= len(stored) {
			return nil, false, fmt.Errorf("it reaches beyond the %d numbers that are stored", len(stored))
		}
		values[i] = stored[at]
	}
	return values, true, nil
}
