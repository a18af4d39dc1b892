package modeldir

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/internal/tensorfile"
)

// EncoderPath is the scope of the encoder's variables in the store of every model,
// and WordPath its table of word pieces.
const (
	EncoderPath = "/encoder"
	WordPath    = EncoderPath + "/embeddings/word"
)

// WeightsFile holds every variable of a model directory. The encoder's tensors
// have the names and the layout of Hugging Face, so that other programs can read
// them; the others are named by their path. Matrices are [out, in].
const WeightsFile = "model.safetensors"

// SaveWeights writes the variables of a model, as float32, or with 8-bit
// matrices when quantized.
func SaveWeights(store *model.Store, cfg encoder.Config, path string, quantized bool) error {
	list, err := fileTensors(store, cfg, quantized)
	if err != nil {
		return fmt.Errorf("write weights %s: %w", path, err)
	}
	if err := tensorfile.Create(path, list); err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	return nil
}

// fileTensors turns the variables of a store into tensors of a file, sorted by name.
func fileTensors(store *model.Store, cfg encoder.Config, quantized bool) ([]tensorfile.Tensor, error) {
	names := encoderNames(cfg)
	var list []tensorfile.Tensor
	for v := range store.IterVariables() {
		if !IsWeight(v) {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
		flat, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
		name, shape := nameInFile(v.Path(), names), slices.Clone(v.Shape().Dimensions)
		if isTransposed(v.Path()) {
			flat = encoder.TransposeMatrix(flat, shape[0], shape[1])
			slices.Reverse(shape)
		}
		if quantized && len(shape) == 2 {
			list = append(list, tensorfile.Quantized(name, shape, flat)...)
			continue
		}
		list = append(list, tensorfile.Float32(name, shape, flat))
	}
	slices.SortFunc(list, func(a, b tensorfile.Tensor) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// IsWeight tells the variables of the model from those of training: moments,
// counters, the state of random numbers.
func IsWeight(v *model.Variable) bool {
	return v.DType() == dtypes.Float32 && !strings.HasPrefix(v.Path(), "/optimizer/")
}

// isTransposed tells whether a file has the matrix as [out, in].
func isTransposed(path string) bool { return strings.HasSuffix(path, "/weights") }

// encoderNames maps the paths of the encoder's variables to their names in a file.
func encoderNames(cfg encoder.Config) map[string]string {
	names := map[string]string{}
	for _, t := range encoder.FileTensors(cfg) {
		names[EncoderPath+"/"+t.Path] = t.Name
	}
	return names
}

func nameInFile(path string, encoderNames map[string]string) string {
	if name, ok := encoderNames[path]; ok {
		return name
	}
	return strings.TrimPrefix(path, "/")
}

// LoadWeights reads the weights of a model directory into a store, to be computed with
// on a backend or, without one, to be looked at.
func LoadWeights(backend compute.Backend, store *model.Store, cfg encoder.Config, dir string) error {
	path := filepath.Join(dir, WeightsFile)
	file, err := tensorfile.Open(path)
	if err != nil {
		return fmt.Errorf("read weights: %w", err)
	}
	defer file.Close()
	names := slices.DeleteFunc(file.Names(), func(name string) bool { return strings.HasSuffix(name, tensorfile.ScaleSuffix) })
	paths := pathsOf(names, cfg)
	values, err := readTensors(backend, file, names, paths)
	if err != nil {
		return fmt.Errorf("read weights %s: %w", path, err)
	}
	for i, value := range values {
		if _, err := store.CreateVariable(paths[i], value); err != nil {
			return fmt.Errorf("read weights %s: tensor %s: %w", path, names[i], err)
		}
	}
	return nil
}

// pathsOf are the paths of the variables that tensors of a file belong to.
func pathsOf(names []string, cfg encoder.Config) []string {
	encoderPaths := map[string]string{}
	for path, name := range encoderNames(cfg) {
		encoderPaths[name] = path
	}
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = "/" + name
		if path, ok := encoderPaths[name]; ok {
			paths[i] = path
		}
	}
	return paths
}

// readTensors reads the tensors of a file as the values of the variables at paths,
// as many at once as there are processors: those of 8 bits take time.
func readTensors(backend compute.Backend, file *tensorfile.File, names, paths []string) ([]*tensors.Tensor, error) {
	values := make([]*tensors.Tensor, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() (err error) {
			if values[i], err = readTensor(backend, file, name, isTransposed(paths[i])); err != nil {
				return fmt.Errorf("tensor %s: %w", name, err)
			}
			return nil
		})
	}
	return values, group.Wait()
}

// readTensor reads a tensor, if it can be, to where the backend computes with it.
func readTensor(backend compute.Backend, file *tensorfile.File, name string, transposed bool) (*tensors.Tensor, error) {
	shape, err := file.Shape(name)
	if err != nil {
		return nil, err
	}
	if transposed {
		slices.Reverse(shape)
	}
	size := shapes.Make(dtypes.Float32, shape...)
	if backend == nil || !backend.HasSharedBuffers() {
		values := make([]float32, size.Size())
		if err := file.Fill(name, values, transposed); err != nil {
			return nil, err
		}
		return tensors.FromFlatDataAndDimensions(values, shape...), nil
	}
	buffer, flat, err := backend.NewSharedBuffer(0, size)
	if err != nil {
		return nil, err
	}
	if err := file.Fill(name, flat.([]float32), transposed); err != nil {
		return nil, err
	}
	return tensors.FromBuffer(buffer)
}

// Begin makes the weights of a model that is to be trained: those of the pretrained
// encoder in the folder encoderDir are read; seed decides over the others, which are
// drawn when a graph first asks for them.
func Begin(store *model.Store, cfg encoder.Config, encoderDir string, seed int64) error {
	store.SetParam("/"+model.ParamInitialSeed, seed)
	return encoder.LoadWeights(store, EncoderPath, encoderDir, cfg)
}

// FreezeWords keeps the table of word pieces as it was pretrained: a corpus to train
// on is small and moves few of its rows.
func FreezeWords(store *model.Store) {
	if table := store.GetVariable(WordPath); table != nil {
		table.SetTrainable(false)
	}
}

// Load reads the weights of a model directory into store, and tries them: try runs
// the graphs of the model once. A variable that the file lacks would be made anew
// with random numbers, one of another shape would not fit; the error for either names
// the file. It gives the number of weights and the [Digest] of the directory, which is
// computed while the weights are read.
func Load(backend compute.Backend, store *model.Store, cfg encoder.Config, dir string, try func() error) (parameters int, sum string, err error) {
	var digests errgroup.Group
	digests.Go(func() (err error) {
		sum, err = Digest(dir)
		return err
	})
	if err := LoadWeights(backend, store, cfg, dir); err != nil {
		return 0, "", err
	}
	known := paths(store)
	path := filepath.Join(dir, WeightsFile)
	if err := try(); err != nil {
		return 0, "", fmt.Errorf("weights %s: do not fit %s and config.json: %w", path, ConfigFile, err)
	}
	if err := missing(store, cfg, known); err != nil {
		return 0, "", fmt.Errorf("weights %s: %w", path, err)
	}
	if err := digests.Wait(); err != nil {
		return 0, "", err
	}
	return Parameters(store), sum, nil
}

// missing is an error that names a weight which the graph of a model has made
// anew, because the file lacks it. before are the paths that were loaded, see
// [paths]; the graph has been built since then.
func missing(store *model.Store, cfg encoder.Config, before map[string]bool) error {
	for v := range store.IterVariables() {
		if IsWeight(v) && !before[v.Path()] {
			return fmt.Errorf("tensor %s is missing", nameInFile(v.Path(), encoderNames(cfg)))
		}
	}
	return nil
}

// paths are the paths of the variables of a store.
func paths(store *model.Store) map[string]bool {
	known := map[string]bool{}
	for v := range store.IterVariables() {
		known[v.Path()] = true
	}
	return known
}
