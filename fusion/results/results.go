// Package results keeps what finished runs have reached: a folder with one small
// JSON file for each model that was measured, with all that is needed to repeat
// it, and the tables that follow from such a folder.
package results

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// Training is how a model came about.
type Training struct {
	Source
	Also    []Source            `json:"also,omitempty"`   // other corpora that it learned from, by name; each has labels of its own
	Kinds   map[string][]string `json:"kinds,omitempty"`  // what the types of several corpora have in common
	Unseen  []File              `json:"unseen,omitempty"` // no text was learned from, or held out, that shares a sentence with one of these
	Encoder string              `json:"encoder"`          // name of the encoder's directory
	From    *Origin             `json:"from,omitempty"`   // the model that training went on from; nil: only the encoder was pretrained
	KB      *graph.Provenance   `json:"kb,omitempty"`
	Variant string              `json:"variant"`
	Seed    int64               `json:"seed"`
	Options train.Options       `json:"options"`

	EncoderDigest string   `json:"encoderDigest,omitempty"` // SHA-256 over the files of that directory
	Embeddings    string   `json:"embeddings,omitempty"`    // SHA-256 of the file of knowledge-graph embeddings
	Changes       []Change `json:"changes,omitempty"`       // what was done to the model after training, in order

	MaxSpan        int            `json:"maxSpan"`                // word pieces; KECI only
	KeptRatio      float64        `json:"keptRatio"`              // spans kept for each word piece; KECI only
	Window         int            `json:"window,omitempty"`       // sentences that are read together, where they are several; KECI only
	EpochTexts     int            `json:"epochTexts,omitempty"`   // most texts of each corpus in an epoch; 0: all; KECI only
	EpochTextsOf   map[string]int `json:"epochTextsOf,omitempty"` // the same of single corpora, instead; KECI only
	Borders        bool           `json:"borders,omitempty"`      // whether spans that the model does not look at were left out while it learned, too; KECI only
	MessageNorm    bool           `json:"messageNorm,omitempty"`  // whether the graph over the spans normalises what they are told, in variants that have it; KECI only
	Between        bool           `json:"between,omitempty"`      // whether relations hear what the text says between two spans; KECI only
	LabelSmoothing float64        `json:"labelSmoothing,omitempty"`
	Dropout        float64        `json:"dropout,omitempty"`  // KECI, in the scorers and the vectors of spans; none where it is 0.2, as it was before one could choose
	Settings       map[string]any `json:"settings,omitempty"` // of other systems: numbers (float64) and switches (bool)
	HeldOutShare   float64        `json:"heldOutShare"`
	Doubts         []string       `json:"doubts,omitempty"` // why scores on what is held out, or must stay unseen, may be too good
	Sweep          []train.Trial  `json:"sweep,omitempty"`  // how the learning rates were found

	Learned        int            `json:"learned"`        // texts that the model learned from: sentences, or windows of several
	HeldOut        int            `json:"heldOut"`        // texts on which epochs and thresholds were chosen
	EntityTypes    map[string]int `json:"entityTypes"`    // how often each occurs in what the model learned from, in each window again
	RelationLabels map[string]int `json:"relationLabels"` // likewise

	Best     train.Epoch   `json:"best"`
	Curve    []train.Epoch `json:"curve"`
	Program  Program       `json:"program"`
	Command  string        `json:"command"`
	Finished string        `json:"finished"` // the day, as 2006-01-02
}

// Source is a corpus that a model learned from.
type Source struct {
	Corpus string            `json:"corpus"` // the name of its form, for example "ade"
	Data   File              `json:"data"`
	Names  map[string]string `json:"names,omitempty"` // what types and labels are told as, where it is otherwise
}

// Sources are all corpora that the model learned from.
func (t Training) Sources() []Source { return append([]Source{t.Source}, t.Also...) }

// Of is the record as one of the corpora has it, where the model learned from several:
// that one is Source, and the others are Also.
func (t Training) Of(corpus string) Training {
	i := slices.IndexFunc(t.Also, func(s Source) bool { return s.Corpus == corpus })
	if i < 0 {
		return t
	}
	others := slices.Clone(t.Also)
	t.Source, others[i] = others[i], t.Source
	slices.SortFunc(others, func(a, b Source) int { return strings.Compare(a.Corpus, b.Corpus) })
	t.Also = others
	return t
}

// Change is something that was done to a model after training.
type Change struct {
	Name    string `json:"name"` // "quantized", "calibrated", "pruned" or "told senses"
	Command string `json:"command"`
}

// changeNames are the names of the changes, in order.
func (t Training) changeNames() []string {
	var names []string
	for _, c := range t.Changes {
		names = append(names, c.Name)
	}
	return names
}

// system names the variant, and what else it learned from.
func (t Training) system() string {
	name := t.Variant
	for i, s := range t.Also {
		name += []string{" with ", ", "}[min(i, 1)] + s.Corpus
	}
	return name
}

// File names the content of a file.
type File struct {
	Name   string `json:"name"` // without the folder
	SHA256 string `json:"sha256"`
}

// Program names the program that did something.
type Program struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // the commit that it was built from
	Modified bool   `json:"modified,omitempty"` // whether there were changes on top of it
	Go       string `json:"go"`
}

// Run is a model that was measured on texts that it had no part of.
type Run struct {
	Training
	Split      string       `json:"split"` // what was measured, for example "dev" or "fold 3 of 10"
	Test       File         `json:"test"`
	Model      string       `json:"model"` // its digest
	Parameters int          `json:"parameters,omitempty"`
	Scores     score.Result `json:"scores"`
	Protocol   *Protocol    `json:"protocol,omitempty"` // of systems whose authors measure otherwise
	Reading    *Reading     `json:"reading,omitempty"`
	Testing    Testing      `json:"testing"`

	EntityReliability   calibration.Reliability `json:"entityReliability"`
	RelationReliability calibration.Reliability `json:"relationReliability"`
}

// Testing is how a run was measured.
type Testing struct {
	KB       *graph.Provenance `json:"kb,omitempty"`
	Program  Program           `json:"program"`
	Command  string            `json:"command"`
	Finished string            `json:"finished"`
}

// Reading is how fast the measured texts were read: once, by a model that had just
// been opened, so that what it makes ready for later texts is part of it.
type Reading struct {
	Sentences  int     `json:"sentences"` // as linker.Sentences divides the texts, for every system
	Seconds    float64 `json:"seconds"`   // by the clock
	Processors int     `json:"processors"`
	Engine     string  `json:"engine"`
}

// Rate is how many sentences were read in a second.
func (r Reading) Rate() float64 { return float64(r.Sentences) / r.Seconds }

// Protocol is what a system reaches by the rules of its authors, where these are
// not the rules of the corpus.
type Protocol struct {
	Figures []Figure `json:"figures"`           // in the order of tables
	Details any      `json:"details,omitempty"` // counts and whatever else the figures follow from
}

// Figure is a number of a protocol.
type Figure struct {
	Name  string  `json:"name"`  // what it is, as a table says it: "tags, macro F1"
	Value float64 `json:"value"` // of 1, not of 100
}

// Figures names the three measures of one thing, such as "tags, macro".
func Figures(of string, m score.Measures) []Figure {
	return []Figure{{of + " precision", m.Precision}, {of + " recall", m.Recall}, {of + " F1", m.F1}}
}

// TrainingFile is where a model directory holds how it came about.
const TrainingFile = "training.json"

// ErrNoTraining is returned, wrapped, for a model that does not say how it came about.
var ErrNoTraining = errors.New("the model does not say how it was trained: there is no " + TrainingFile)

// WriteTraining tells a model directory how the model came about.
func WriteTraining(dir string, t Training) error {
	return writeJSON(filepath.Join(dir, TrainingFile), t)
}

// ReadTraining reads what WriteTraining wrote.
func ReadTraining(dir string) (Training, error) {
	var t Training
	err := readJSON(filepath.Join(dir, TrainingFile), &t)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w", dir, ErrNoTraining)
	}
	return t, err
}

// Describe names the content of a file, or of all files of a folder.
func Describe(path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	sum := sha256.New()
	if info.IsDir() {
		err = addFolder(sum, path)
	} else {
		err = addFile(sum, path)
	}
	if err != nil {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	return File{filepath.Base(filepath.Clean(path)), hex.EncodeToString(sum.Sum(nil))}, nil
}

// addFolder adds the names and contents of all files, in order of their names.
func addFolder(sum io.Writer, dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s\n", filepath.ToSlash(name))
		return addFile(sum, path)
	})
}

func addFile(sum io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(sum, f)
	return err
}

// FileName is the name of the run's file in a folder: what tells it from others.
func (r Run) FileName() string {
	parts := []string{r.Corpus, r.Split, r.system(), r.Encoder}
	if r.KB != nil {
		parts = append(parts, r.KB.Name)
	}
	if r.From != nil {
		parts = append(parts, "from "+r.From.Name)
	}
	parts = append(parts, r.changeNames()...)
	name := strings.Join(append(parts, fmt.Sprintf("seed %d", r.Seed)), "-")
	return strings.Map(inFileName, name) + ".json"
}

// inFileName keeps what every file system takes.
func inFileName(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
		return r
	case r == ' ':
		return -1
	}
	return '_'
}

// Write adds a run to a folder, which it makes if need be, and returns the path
// of its file. It replaces an earlier measurement of the same recipe; see [Find]
// for one of another.
func Write(dir string, r Run) (string, error) {
	path := filepath.Join(dir, r.FileName())
	if _, _, err := Find(dir, r); err != nil {
		return path, fmt.Errorf("write results: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return path, fmt.Errorf("write results: %w", err)
	}
	return path, writeJSON(path, r)
}

// Read reads the run with the given file name, and fs.ErrNotExist where there is none.
func Read(dir, name string) (Run, error) {
	var r Run
	err := readJSON(filepath.Join(dir, name), &r)
	return r, err
}

// ReadAll reads all runs of a folder, in order of their file names. Each is
// recomputed: one whose F1 do not follow from its counts is an error.
func ReadAll(dir string) ([]Run, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	var runs []Run
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		r, err := Read(dir, e.Name())
		if err != nil {
			return nil, fmt.Errorf("read results: %w", err)
		}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("read results: %s: %w", filepath.Join(dir, e.Name()), err)
		}
		runs = append(runs, r)
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("read results: %s holds none: keci evaluate --results and keci crossval write them", dir)
	}
	slices.SortFunc(runs, func(a, b Run) int { return strings.Compare(a.FileName(), b.FileName()) })
	return runs, nil
}

// check compares the figures with the counts.
func (r Run) check() error {
	entity, relation := score.Headline(r.Corpus, r.Scores)
	const rounding = 1e-9
	if diff := entity - r.Scores.EntityF1; diff > rounding || diff < -rounding {
		return fmt.Errorf("entityF1 is %g, from the counts follows %g", r.Scores.EntityF1, entity)
	}
	if diff := relation - r.Scores.RelationF1; diff > rounding || diff < -rounding {
		return fmt.Errorf("relationF1 is %g, from the counts follows %g", r.Scores.RelationF1, relation)
	}
	return nil
}

func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	next := path + ".next"
	if err := os.WriteFile(next, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(next, path)
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
