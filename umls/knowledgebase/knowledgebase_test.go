package knowledgebase

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/linker"
	"github.com/keci-kg/keci/umls"
)

// small is a knowledge base of three concepts.
func small() *Facts {
	return &Facts{
		Name:        "small",
		SourceInfos: []graph.SourceInfo{{Abbreviation: "CHEBI", Licence: "Licence: CC BY 4.0"}, {Abbreviation: "UNUSED"}},
		Types: []graph.SemanticType{
			{TUI: "T109", Name: "Organic Chemical"}, {TUI: "T126", Name: "Enzyme", Abbreviation: "enzy"},
		},
		TypeFacts: []graph.TypeRelation{{Head: "T109", Label: "affects", Tail: "T126"}},
		ConceptFacts: []graph.Concept{
			{CUI: "C01", Name: "rapamycin", Synonyms: []string{"sirolimus"}, SemanticTypes: []graph.TUI{"T109"}, Sources: []string{"CHEBI"}},
			{CUI: "C02", Name: "FKBP12", SemanticTypes: []graph.TUI{"T126"}, Sources: []string{"CHEBI"}},
			{CUI: "C03", Name: "calcineurin", SemanticTypes: []graph.TUI{"T126"}, Sources: []string{"CHEBI"}},
		},
		RelationFacts: []graph.Relation{
			{Head: "C01", Label: "binds", Tail: "C02", Rel: "RO", Sources: []string{"CHEBI"}},
			{Head: "C01", Label: "binds", Tail: "C99", Rel: "RO", Sources: []string{"CHEBI"}}, // left out: C99 is not there
		},
	}
}

func buildSmall(t *testing.T) (string, graph.KnowledgeBaseInfo) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "kb")
	info, err := Build(t.Context(), out, small(), Options{Name: "small"})
	if err != nil {
		t.Fatal(err)
	}
	return out, info
}

func same[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
}

func TestBuildAndOpen(t *testing.T) {
	dir, info := buildSmall(t)
	same(t, graph.KnowledgeBaseInfo{
		Name: "small", Digest: info.Digest, FormatVersion: embedded.KnowledgeFormat, Concepts: 3, Names: 4, Relations: 1,
		SemanticTypes: 2, TypeRelations: 1, Sources: small().SourceInfos[:1],
	}, info)
	read, err := ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	same(t, info, read)

	kb, err := Open(t.Context(), dir, linker.Learned(new(linker.Model)))
	if err != nil {
		t.Fatal(err)
	}
	defer kb.Close()
	same(t, info, kb.Info)
	same(t, &graph.Provenance{Name: "small", Digest: info.Digest}, kb.Provenance())
	mentions, err := kb.Linker.Link(t.Context(), "FKBP12 binds sirolimus.")
	if err != nil || len(mentions) != 2 {
		t.Fatalf("%v, %v", mentions, err)
	}
	sub, err := kb.Knowledge.Subgraph(t.Context(), []graph.CUI{mentions[0].Concepts[0].CUI, mentions[1].Concepts[0].CUI})
	if err != nil {
		t.Fatal(err)
	}
	same(t, small().RelationFacts[:1], sub.Relations)

	_, again := buildSmall(t)
	same(t, info, again)
}

// Every file of the folder is missed when it is gone, cut off or changed, and
// the error names it.
func TestDamage(t *testing.T) {
	whole, _ := buildSmall(t)
	var files []string
	err := filepath.WalkDir(whole, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			path, err = filepath.Rel(whole, path)
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(whole, file))
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(content)
		flipped[len(flipped)/2] ^= 0x80
		for name, damage := range map[string][]byte{"gone": nil, "empty": {}, "cut": content[:len(content)-1], "changed": flipped} {
			if file == manifestFile && name == "cut" {
				continue // only the newline at its end
			}
			t.Run(file+" "+name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "kb")
				if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, file)
				err := os.Remove(path)
				if damage != nil {
					err = os.WriteFile(path, damage, 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
				kb, err := Open(t.Context(), dir)
				if err == nil {
					kb.Close()
				}
				if file == namesFile || !strings.HasPrefix(file, "names.") || name != "changed" { // Open does not look into the dictionary
					namesPath(t, err, dir, path)
				}
				namesPath(t, Verify(t.Context(), dir), dir, path)
			})
		}
	}
}

// namesPath checks that an error names the damaged file.
func namesPath(t *testing.T, err error, dir, path string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), dir+" is not a knowledge base") {
		t.Errorf("%v: does not name %s", err, path)
	}
}

func TestVerify(t *testing.T) {
	dir, _ := buildSmall(t)
	if err := Verify(t.Context(), dir); err != nil {
		t.Error(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := Verify(stopped, dir); !errors.Is(err, context.Canceled) || errors.Is(err, ErrDamaged) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := Open(stopped, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("opening, stopped: %v", err)
	}
}

func TestOpenAnotherVersion(t *testing.T) {
	dir, _ := buildSmall(t)
	path := filepath.Join(dir, manifestFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Replace(content, []byte(`"formatVersion": 2`), []byte(`"formatVersion": 9`), 1)
	if err := os.WriteFile(path, newer, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "format version 9") {
		t.Error(err)
	}
}

func TestBuildOverOther(t *testing.T) {
	dir, info := buildSmall(t)
	if _, err := Build(t.Context(), dir, small(), Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("without force: %v", err)
	}
	other := small()
	other.ConceptFacts = other.ConceptFacts[:2]
	replaced, err := Build(t.Context(), dir+"/", other, Options{Name: "other", Force: true})
	if err != nil {
		t.Fatal(err)
	}
	if replaced.Concepts != 2 || replaced.Digest == info.Digest {
		t.Errorf("%+v", replaced)
	}
	same(t, []string{"kb"}, filesIn(t, filepath.Dir(dir)))

	// A folder that is no knowledge base is never replaced.
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Build(t.Context(), foreign, small(), Options{Force: true}); !errors.Is(err, ErrExists) {
		t.Errorf("over other files: %v", err)
	}
	same(t, []string{"thesis.txt"}, filesIn(t, foreign))

	// A link stays a link.
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := Build(t.Context(), link, small(), Options{Name: "third", Force: true}); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != dir {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if kb, err := Open(t.Context(), dir); err != nil || kb.Info.Name != "third" || kb.Close() != nil {
		t.Errorf("behind the link: %v", err)
	}
	same(t, []string{"kb"}, filesIn(t, filepath.Dir(dir)))

	// An empty one is as good as none.
	if _, err := Build(t.Context(), t.TempDir(), small(), Options{}); err != nil {
		t.Errorf("into an empty folder: %v", err)
	}
}

// The folder that the program runs in is refused before anything is read, not after hours.
func TestBuildHere(t *testing.T) {
	t.Chdir(t.TempDir())
	read := func() error { t.Error("the source was read"); return nil }
	if _, err := Build(t.Context(), ".", breaking{small(), read}, Options{}); !errors.Is(err, ErrHere) {
		t.Errorf("error %v", err)
	}
	same(t, nil, filesIn(t, "."))
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// breaking is a source that is broken off after its first relation.
type breaking struct {
	*Facts
	fail func() error
}

func (b breaking) Relations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		for r, err := range b.Facts.Relations(ctx) {
			if !yield(r, errors.Join(err, b.fail())) {
				return
			}
		}
	}
}

func TestBrokenOffBuildLeavesNothing(t *testing.T) {
	bad := errors.New("bad row")
	for name, want := range map[string]error{"a bad row": bad, "Ctrl-C": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			fail := func() error {
				if want == bad {
					return bad
				}
				cancel()
				return nil // the next row notices
			}
			parent := t.TempDir()
			if _, err := Build(ctx, filepath.Join(parent, "kb"), breaking{small(), fail}, Options{}); !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
			same(t, nil, filesIn(t, parent))
		})
	}
}

// endless is a source whose relations do not end. With its last concept the place of
// the dictionary is taken.
type endless struct {
	*Facts
	parent string
}

func (e endless) Concepts(ctx context.Context) iter.Seq2[graph.Concept, error] {
	return func(yield func(graph.Concept, error) bool) {
		for c, err := range e.Facts.Concepts(ctx) {
			if !yield(c, err) {
				return
			}
		}
		building, err := filepath.Glob(filepath.Join(e.parent, ".kb.building-*"))
		if err != nil || len(building) != 1 {
			yield(graph.Concept{}, errors.Join(err, errors.New("no folder of the build")))
			return
		}
		// A folder in the place of a file of the dictionary.
		if err := os.Mkdir(filepath.Join(building[0], "names.concepts.tmp"), 0o700); err != nil {
			yield(graph.Concept{}, err)
		}
	}
}

func (e endless) Relations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		select {
		case <-ctx.Done():
			yield(graph.Relation{}, context.Cause(ctx))
		case <-time.After(time.Minute):
			yield(graph.Relation{}, errors.New("still reading"))
		}
	}
}

// When the dictionary cannot be written, no hour is spent on relations before that is told.
func TestBuildWithoutDictionary(t *testing.T) {
	parent := t.TempDir()
	_, err := Build(t.Context(), filepath.Join(parent, "kb"), endless{small(), parent}, Options{})
	if err == nil || !strings.Contains(err.Error(), "build dictionary") || strings.Contains(err.Error(), "still reading") {
		t.Errorf("error %v", err)
	}
	same(t, nil, filesIn(t, parent))
}

func TestFactsRoundTrip(t *testing.T) {
	var first, second bytes.Buffer
	for _, to := range []*bytes.Buffer{&first, &second} {
		if err := small().Write(to); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two writes differ")
	}
	got, err := ReadFacts(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	same(t, small(), got)

	for cut := range first.Len() {
		if _, err := ReadFacts(bytes.NewReader(first.Bytes()[:cut])); err == nil {
			t.Errorf("cut at %d: no error", cut)
		}
	}
}

func TestSelectFacts(t *testing.T) {
	source := small()
	source.ConceptFacts[0].Definition = "A macrolide."
	source.Types[0].Definition = "Carbon."
	got, err := SelectFacts(t.Context(), "few", source, func(c graph.Concept) bool { return c.CUI != "C03" })
	if err != nil {
		t.Fatal(err)
	}
	want := small()
	want.Name = "few"
	want.SourceInfos, want.ConceptFacts, want.RelationFacts = want.SourceInfos[:1], want.ConceptFacts[:2], want.RelationFacts[:1]
	same(t, want, got)

	var text bytes.Buffer
	if err := got.WriteAttribution(&text); err != nil {
		t.Fatal(err)
	}
	if row := "| CHEBI | – | – | CC BY 4.0 | – | – | 2 |"; !strings.Contains(text.String(), row) {
		t.Errorf("no row %q in\n%s", row, text.String())
	}
}

func TestWithDefaultNetwork(t *testing.T) {
	source := small()
	source.Types = append(source.Types, graph.SemanticType{TUI: "T999", Name: "Own"})
	source.TypeFacts = nil
	completed, err := WithDefaultNetwork(source)
	if err != nil {
		t.Fatal(err)
	}
	info, err := Build(t.Context(), filepath.Join(t.TempDir(), "kb"), completed, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if info.SemanticTypes != 3 || info.TypeRelations == 0 || info.Concepts != 3 {
		t.Errorf("%+v", info)
	}
	for r, err := range completed.TypeRelations(t.Context()) {
		if err != nil || r.Head != "T109" && r.Head != "T126" || r.Tail != "T109" && r.Tail != "T126" {
			t.Error(r, err)
		}
	}
	for st := range completed.SemanticTypes(t.Context()) {
		if known := st.TUI != "T999"; known != (st.Abbreviation != "") {
			t.Errorf("%+v", st)
		}
	}
}

func TestCountMentions(t *testing.T) {
	dir, _ := buildSmall(t)
	kb, err := Open(t.Context(), dir, linker.Learned(new(linker.Model))) // no phrases beside the names
	if err != nil {
		t.Fatal(err)
	}
	defer kb.Close()
	text := strings.Repeat("Rapamycin and sirolimus are one.\nFKBP12 binds rapamycin.\n\n", 10)
	counts, err := CountMentions(t.Context(), kb.Linker, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	same(t, map[graph.CUI]int{"C01": 30, "C02": 10}, counts)
	same(t, map[graph.CUI]bool{"C01": true}, MostMentioned(counts, 1))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := CountMentions(ctx, kb.Linker, strings.NewReader(text)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// allowed are the sources of the default knowledge base, whose licences
// default/ATTRIBUTION.md gives.
var allowed = []string{
	"CHEBI", "CL", "CVCL", "DOID", "DRUGBANK", "FPLX", "GO", "INTERPRO", "MONDO", "MSH2015",
	"NCBIGENE", "NCBITAXON", "NCIT", "PFAM", "SYMP", "UBERON",
}

func TestDefaultFacts(t *testing.T) {
	if len(defaultFacts) > 5_000_000 {
		t.Errorf("%d bytes, more than 5 MB", len(defaultFacts))
	}
	facts, err := DefaultFacts()
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.ConceptFacts) < 30_000 || len(facts.TypeFacts) != 6_105 || len(facts.Types) != 127 {
		t.Errorf("%d concepts, %d type relations, %d types", len(facts.ConceptFacts), len(facts.TypeFacts), len(facts.Types))
	}
	known := map[string]bool{}
	for _, s := range facts.SourceInfos {
		known[s.Abbreviation] = true
		if s.Licence == "" || s.Attribution == "" || !slices.Contains(allowed, s.Abbreviation) {
			t.Errorf("source %+v", s)
		}
	}
	for _, c := range facts.ConceptFacts {
		if c.Definition != "" || len(c.Sources) == 0 || slices.ContainsFunc(c.Sources, func(s string) bool { return !known[s] }) {
			t.Fatalf("%+v", c)
		}
	}
	for _, r := range facts.RelationFacts {
		if slices.ContainsFunc(r.Sources, func(s string) bool { return !slices.Contains(allowed, s) }) {
			t.Fatalf("%+v", r)
		}
	}
}

// Several openings at once, as of several processes, all get a whole knowledge
// base; a later one finds it made, and a damaged one is made again.
func TestOpenCached(t *testing.T) {
	cache := t.TempDir()
	t.Setenv(CacheVariable, cache)
	var facts bytes.Buffer
	if err := small().Write(&facts); err != nil {
		t.Fatal(err)
	}
	open := func() {
		kb, err := openCached(t.Context(), facts.Bytes())
		if err != nil {
			t.Error(err)
			return
		}
		defer kb.Close()
		if _, err := kb.Knowledge.Concept(t.Context(), "C01"); err != nil {
			t.Error(err)
		}
	}
	var openings sync.WaitGroup
	for range 4 {
		openings.Go(open)
	}
	openings.Wait()
	folders := filesIn(t, filepath.Join(cache, "kb"))
	if len(folders) != 1 {
		t.Fatal(folders)
	}
	manifest := filepath.Join(cache, "kb", folders[0], manifestFile)
	made, err := os.Stat(manifest)
	if err != nil {
		t.Fatal(err)
	}
	open()
	if found, err := os.Stat(manifest); err != nil || !found.ModTime().Equal(made.ModTime()) {
		t.Error("it was made again")
	}
	scratch := os.Getenv("TMPDIR")
	t.Setenv("TMPDIR", filepath.Join(cache, "nowhere"))
	if _, err := openCached(t.Context(), facts.Bytes()); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("without a place for scratch files: %v", err)
	}
	t.Setenv("TMPDIR", scratch)
	if found, err := os.Stat(manifest); err != nil || !found.ModTime().Equal(made.ModTime()) {
		t.Error("a whole one that cannot be opened was made again")
	}
	if os.Getuid() > 0 { // root may read everything
		if err := os.Chmod(manifest, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := openCached(t.Context(), facts.Bytes()); !errors.Is(err, os.ErrPermission) {
			t.Errorf("without rights: %v", err)
		}
		if err := os.Chmod(manifest, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{damaged("f", syscall.EMFILE), damaged("f", &os.PathError{Op: "open", Path: "f", Err: syscall.EACCES})} {
		if !refused(err) {
			t.Errorf("%v: a folder would be thrown away for it", err)
		}
	}
	if err := os.Truncate(manifest, 100); err != nil {
		t.Fatal(err)
	}
	open()
	same(t, folders, filesIn(t, filepath.Join(cache, "kb")))
}

func TestOpenDefaultWithoutAPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(CacheVariable, file)
	if _, err := OpenDefault(t.Context()); err == nil || !strings.Contains(err.Error(), CacheVariable) {
		t.Errorf("%v: does not say what to set", err)
	}
}

// The default knowledge base links real text: a sentence, and the mentions of
// BioRelEx dev, with exactly the range of the annotation.
func TestOpenDefault(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the default knowledge base")
	}
	t.Setenv(CacheVariable, t.TempDir())
	kb, err := OpenDefault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer kb.Close()
	mentions, err := kb.Linker.Link(t.Context(), "FKBP12 binds rapamycin, and the complex inhibits calcineurin.")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"FKBP12", "rapamycin", "calcineurin"} {
		if !slices.ContainsFunc(mentions, func(m graph.Mention) bool { return m.Text == name }) {
			t.Errorf("%s is not found", name)
		}
	}
	t.Run("BioRelEx dev", func(t *testing.T) {
		found, all := coverage(t, kb, sharedData(t, "corpora/biorelex/dev.json"))
		t.Logf("%d of %d mentions, %.1f %%", found, all, 100*float64(found)/float64(all))
		if all != 955 || found < 640 {
			t.Errorf("%d of %d mentions", found, all)
		}
	})
}

func coverage(t *testing.T, kb *KnowledgeBase, dev string) (found, all int) {
	t.Helper()
	content, err := os.ReadFile(dev)
	if err != nil {
		t.Fatal(err)
	}
	var sentences []struct {
		Text     string
		Entities []struct {
			Names map[string]struct{ Mentions [][2]int }
		}
	}
	if err := json.Unmarshal(content, &sentences); err != nil {
		t.Fatal(err)
	}
	for _, s := range sentences {
		ranges := linkedRanges(t, kb, s.Text)
		for _, entity := range s.Entities {
			for _, name := range entity.Names {
				for _, gold := range name.Mentions {
					all++
					if ranges[gold] {
						found++
					}
				}
			}
		}
	}
	return found, all
}

// linkedRanges are the ranges of mentions, in code points.
func linkedRanges(t *testing.T, kb *KnowledgeBase, text string) map[[2]int]bool {
	t.Helper()
	doc := graph.Document{ID: "x", Text: text, Offsets: graph.OffsetByte}
	var err error
	if doc.Mentions, err = kb.Linker.Link(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if doc, err = doc.WithOffsets(graph.OffsetCodepoint); err != nil {
		t.Fatal(err)
	}
	ranges := map[[2]int]bool{}
	for _, m := range doc.Mentions {
		ranges[[2]int{m.Start, m.End}] = true
	}
	return ranges
}

// sharedData is a file or folder of the real data, or the test is skipped.
func sharedData(t testing.TB, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("real data takes long")
	}
	root := os.Getenv("KECI_SHARED_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no real data: ", err)
	}
	return path
}

// Real releases without the Semantic Network make a knowledge base too.
func TestBuildSamples(t *testing.T) {
	for _, tc := range []struct {
		name     string
		concepts int
	}{
		{"air", 633},
		{"hier2016aa", 2862},
	} {
		t.Run(tc.name, func(t *testing.T) {
			release, err := umls.Open(sharedData(t, "umls-samples/"+tc.name), umls.Options{})
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), tc.name)
			info, err := Build(t.Context(), out, release, Options{Name: tc.name})
			if err != nil {
				t.Fatal(err)
			}
			if info.Concepts != tc.concepts || info.SemanticTypes == 0 || info.TypeRelations != 0 || len(info.Sources) == 0 {
				t.Errorf("%+v", info)
			}
			kb, err := Open(t.Context(), out)
			if err != nil {
				t.Fatal(err)
			}
			kb.Close()
		})
	}
}
