package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrOtherRun is returned, wrapped, where there is a run of the same name, or in the
// same directory, that was made, or measured, otherwise.
var ErrOtherRun = errors.New("there is another run")

// Find reads the run of a folder that has the name of another one, and tells
// whether there is one. If that was made by another recipe, or measured on other
// texts or with another knowledge base, the error is an [ErrOtherRun] that names
// the file, what differs, and what to do.
func Find(dir string, like Run) (Run, bool, error) {
	found, err := Read(dir, like.FileName())
	if errors.Is(err, fs.ErrNotExist) {
		return found, false, nil
	}
	if err != nil {
		return found, false, err
	}
	there, err := found.recipe()
	if err != nil {
		return found, false, err
	}
	here, err := like.recipe()
	if err != nil {
		return found, false, err
	}
	if different := differences(there, here); len(different) > 0 {
		return found, false, fmt.Errorf("%w: %s differs in %s: name another folder with --results",
			ErrOtherRun, filepath.Join(dir, like.FileName()), strings.Join(different, ", "))
	}
	return found, true, nil
}

// RecipeFile is where the directory of a training run holds what the run was told.
const RecipeFile = "recipe.json"

// WriteRecipe writes what a run is told into its directory, which it makes if need be.
func WriteRecipe(dir string, t Training) error {
	recipe, err := t.recipe()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the recipe: %w", err)
	}
	return writeJSON(filepath.Join(dir, RecipeFile), recipe)
}

// CheckRecipe is an [ErrOtherRun] that lists what differs where the run in a directory
// was told something else. How long it may last is not compared.
func CheckRecipe(dir string, t Training) error {
	var there map[string]string
	err := readJSON(filepath.Join(dir, RecipeFile), &there)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // an older program began it
	}
	if err != nil {
		return fmt.Errorf("read the recipe: %w", err)
	}
	here, err := t.recipe()
	if err != nil {
		return err
	}
	for _, limit := range []string{"options.maxSteps", "options.patience"} {
		delete(there, limit)
		delete(here, limit)
	}
	if different := differences(there, here); len(different) > 0 {
		return fmt.Errorf("%w: the one in %s differs in %s: give the same, or name another directory with --out",
			ErrOtherRun, dir, strings.Join(different, ", "))
	}
	return nil
}

// rates are the parts of a recipe that a sweep finds.
var rates = []string{"options.encoderRate", "options.taskRate"}

// differences lists what two recipes tell differently, with the values of both,
// sorted. Learning rates that sweeps found are not compared, and neither are digests
// that one of them lacks.
func differences(there, here map[string]string) []string {
	var all []string
	names := maps.Clone(there)
	maps.Copy(names, here)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := there[name], here[name]
		switch {
		case a == b:
		case slices.Contains(rates, name) && there[sweepKey] != "" && here[sweepKey] != "":
		case slices.Contains(recorded, name) && (a == "" || b == ""):
		default:
			all = append(all, fmt.Sprintf("%s (%s there, %s here)", name, orNone(a), orNone(b)))
		}
	}
	return all
}

// recorded are the parts of a recipe that older runs did not record.
var recorded = []string{"encoderDigest", "embeddings"}

// fromKey is where a recipe has the model that training went on from.
const fromKey = "from"

// sweepKey is where a recipe has the factors of a sweep.
const sweepKey = "sweep"

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// recipe is all that training was told, by the names that it has in the file of a run:
// what the model was made from, and how.
func (t Training) recipe() (map[string]string, error) {
	var factors []float64
	for _, trial := range t.Sweep {
		factors = append(factors, trial.Factor)
	}
	flat, err := flatten(t)
	if err != nil {
		return nil, err
	}
	leaveOut(flat, outcome)
	if len(t.Unseen) > 0 { // named one by one, so that tables can tell them
		delete(flat, "unseen")
		for _, f := range t.Unseen {
			flat["unseen."+f.Name+".sha256"] += f.SHA256 // folders may have files of one name
		}
	}
	if t.From != nil {
		flat[fromKey] = t.From.Name + " " + t.From.Model
	}
	if changes := t.changeNames(); len(changes) > 0 {
		flat["changes"] = strings.Join(changes, ", ")
	}
	if len(factors) > 0 {
		flat[sweepKey] = fmt.Sprint(factors)
	}
	return flat, nil
}

// outcome names what the record of a run has that the run was not told; sweep,
// changes and from are told otherwise in a recipe.
var outcome = []string{"learned", "heldOut", "entityTypes", "relationLabels", "best", "curve", "program", "command", "finished", "sweep", "changes", "doubts", "from"}

// leaveOut removes values, and all that is nested in them, by their names.
func leaveOut(flat map[string]string, names []string) {
	maps.DeleteFunc(flat, func(key, _ string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return key == name || strings.HasPrefix(key, name+".") })
	})
}

// recipe is that of the training, and what was measured, and with what.
func (r Run) recipe() (map[string]string, error) {
	recipe, err := r.Training.recipe()
	if err != nil {
		return nil, err
	}
	measured, err := flatten(map[string]any{"split": r.Split, "test": r.Test, "testing": map[string]any{"kb": r.Testing.KB}})
	maps.Copy(recipe, measured)
	return recipe, err
}

// flatten names the values of nested objects by their paths, such as "options.epochs".
func flatten(value any) (map[string]string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("compare runs: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("compare runs: %w", err)
	}
	flat := map[string]string{}
	addFlat("", fields, flat)
	return flat, nil
}

func addFlat(prefix string, fields map[string]any, into map[string]string) {
	for name, value := range fields {
		if nested, ok := value.(map[string]any); ok {
			addFlat(prefix+name+".", nested, into)
		} else if value != nil {
			into[prefix+name] = fmt.Sprint(value)
		}
	}
}
