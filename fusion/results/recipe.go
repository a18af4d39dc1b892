package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/keci-kg/keci/fusion/train"
)

// ErrOtherRun is returned, wrapped, where a folder has a run of the same name that
// was made, or measured, otherwise.
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
	different, err := differences(found, like)
	if err != nil {
		return found, false, err
	}
	if len(different) > 0 {
		return found, false, fmt.Errorf("%w: %s differs in %s: name another folder with --results, or remove that file",
			ErrOtherRun, filepath.Join(dir, like.FileName()), strings.Join(different, ", "))
	}
	return found, true, nil
}

// differences lists what two runs were told differently, with the values of both,
// sorted. Learning rates that a sweep found are not compared.
func differences(there, here Run) ([]string, error) {
	a, err := there.recipe()
	if err != nil {
		return nil, err
	}
	b, err := here.recipe()
	if err != nil {
		return nil, err
	}
	if len(there.Sweep)+len(here.Sweep) > 0 {
		for _, rate := range []string{"options.encoderRate", "options.taskRate"} {
			delete(a, rate)
			delete(b, rate)
		}
	}
	var all []string
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a[name] != b[name] {
			all = append(all, fmt.Sprintf("%s (%s there, %s here)", name, orNone(a[name]), orNone(b[name])))
		}
	}
	return all, nil
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// recipe is all that a run was told, by the names that it has in the run's file:
// what it was made from and how, and what it was measured with.
func (r Run) recipe() (map[string]string, error) {
	t := r.Training
	t.Sweep, t.Learned, t.HeldOut, t.EntityTypes, t.RelationLabels = nil, 0, 0, nil, nil
	t.Best, t.Curve, t.Program, t.Command, t.Finished = train.Epoch{}, nil, Program{}, "", ""
	told := Run{Training: t, Split: r.Split, Test: r.Test, Testing: Testing{KB: r.Testing.KB}}
	data, err := json.Marshal(told)
	if err != nil {
		return nil, fmt.Errorf("compare runs: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("compare runs: %w", err)
	}
	flat := map[string]string{}
	flatten("", fields, flat)
	return flat, nil
}

// flatten names the values of nested objects by their paths, such as "options.epochs".
func flatten(prefix string, fields map[string]any, into map[string]string) {
	for name, value := range fields {
		if nested, ok := value.(map[string]any); ok {
			flatten(prefix+name+".", nested, into)
		} else if value != nil {
			into[prefix+name] = fmt.Sprint(value)
		}
	}
}
