package format_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// told gives each document as lines of what matters, and errors as they are.
func told(documents iter.Seq2[graph.Document, error]) (got []string) {
	for d, err := range documents {
		if err != nil {
			got = append(got, "error: "+err.Error())
			continue
		}
		got = append(got, fmt.Sprintf("%s %q %q", d.ID, d.Title, d.Text))
		for _, m := range d.Mentions {
			line := fmt.Sprintf("%s %d-%d %s %s", m.ID, m.Start, m.End, m.Text, m.Type)
			for _, c := range m.Concepts {
				line += " " + string(c.CUI)
			}
			if m.Negated {
				line += " negated"
			}
			got = append(got, line)
		}
		for _, r := range d.Relations {
			arrow := map[bool]string{true: "->", false: "--"}[r.Directed]
			got = append(got, fmt.Sprintf("%s %s %s %s %s", r.ID, r.Head, arrow, r.Tail, r.Label))
		}
		for _, r := range d.ConceptRelations {
			got = append(got, fmt.Sprintf("%s ~ %s %s %v", r.Head, r.Tail, r.Label, r.Attributes))
		}
	}
	return got
}

func annotated(in string, kind format.Kind) []string {
	return told(format.ReadAnnotated(strings.NewReader(in), kind))
}

func TestReadAnnotated(t *testing.T) {
	for _, test := range []struct {
		name string
		kind format.Kind
		in   string
		want []string
	}{
		{"PubTator", format.PubTator, "1|t|β-catenin binds.\n1|a|Aspirin and TCF4.\n1\t0\t9\tβ-catenin\tGene\t1499\n" +
			"1\t17\t24\tAspirin\tChemical\tMESH:D001241;MESH:D000068579\n1\t29\t33\tTCF4\tGene\t-1\n1\tCID\tD1\tD2\tNovel\n" +
			"\n2|t|Alone\r\n2\t0\t5\tAlone\tVariant\tc|DEL|1_2|\r\n", []string{
			`1 "β-catenin binds." "β-catenin binds.\nAspirin and TCF4."`,
			"T1 0-9 β-catenin Gene 1499", "T2 17-24 Aspirin Chemical MESH:D001241 MESH:D000068579", "T3 29-33 TCF4 Gene",
			"D1 ~ D2 CID map[novel:Novel]",
			`2 "" "Alone"`, "T1 0-5 Alone Variant c|DEL|1_2|"}},
		{"PubTator in bytes", format.PubTator, "1|t|β-catenin binds TCF4.\n1\t17\t21\tTCF4\tGene\t6925\n", []string{
			`1 "" "β-catenin binds TCF4."`, "T1 16-20 TCF4 Gene 6925"}},
		{"PubTator in UTF-16", format.PubTator, "1|t|😀 TCF4.\n1\t3\t7\tTCF4\tGene\t6925\n", []string{
			`1 "" "😀 TCF4."`, "T1 2-6 TCF4 Gene 6925"}},
		{"PubTator without empty lines between", format.PubTator, "1|t|one\n1|a|\n2|t|two\n2|a|more\n", []string{
			`1 "" "one"`, `2 "two" "two\nmore"`}},
		{"PubTator, coordinated mention", format.PubTator, "1|t|hyper- or dyskinetic\n1\t0\t20\thyper- or dyskinetic\tDisease\tD004409|D006948\thyperkinetic|dyskinetic\n", []string{
			`1 "" "hyper- or dyskinetic"`, "T1 0-20 hyper- or dyskinetic Disease D004409 D006948"}},
		{"PubTator, faults", format.PubTator, "1|t|one\n1\t0\t4\tones\tGene\t1\n\n2|t|two\n2\t0\t2\tthree\tGene\t1\n\n3|t|three\n3\t3\t3\t\tGene\t1\n\n" +
			"4|t|four\n5\t0\t1\tf\tGene\t1\n\n6|t|six\n6\t0\tx\tsix\tGene\n\n7|x|seven\n\n8|t|\xff\n\n9\tone\n\n10|t|ten\n10|t|ten\n\n11|t|good\n11|a|\n", []string{
			"error: line 2: mention T1: 0 to 4 lies outside the text",
			`error: line 5: mention T1: the text from 0 to 2 is "tw" and not "three": the offsets, which are taken as code points, bytes or UTF-16, do not fit`,
			"error: line 8: mention T1: it begins at 3 and ends at 3, so it is empty",
			`error: line 11: the line begins with "5\t0\t1\tf\tGene\t1", within document "4": it must begin with the id of the document, and an empty line must end one`,
			`error: line 14: the end of a mention is "x": it must be a number`,
			`error: line 16: the line has neither |t| nor |a| behind the id: "7|x|seven"`,
			"error: line 18: byte 5 of the line is not UTF-8: convert the file",
			"error: line 20: the line is neither a mention (id, start, end, text, type, concepts) nor a relation (id, relation, concept, concept)",
			`error: line 23: document "10" has |t| twice: is an empty line missing before?`,
			`11 "" "good"`}},

		{"JSONL", format.JSONL, `{"id":"a","text":"β TCF4","mentions":[{"start":2,"end":6,"id":"T2","type":"gene","concepts":[{"cui":"C1"}]},{"id":"T1","start":0,"end":1,"negated":true}],` +
			`"relations":[{"head":"T1","tail":"T2","label":"bind","directed":true}],"conceptRelations":[{"head":"C1","tail":"C2","label":"CID"}]}`, []string{
			`a "" "β TCF4"`, "T2 2-6 TCF4 gene C1", "T1 0-1 β  negated", "R1 T1 -> T2 bind", "C1 ~ C2 CID map[]"}},
		{"JSONL in bytes", format.JSONL, `{"id":"a","text":"β TCF4","offsets":"byte","mentions":[{"start":3,"end":7,"text":"TCF4"}]}`, []string{
			`a "" "β TCF4"`, "T1 2-6 TCF4 "}},
		{"JSONL, faults", format.JSONL, `{"id":"a","text":"abc","mentions":[{"id":"T1","start":0,"end":4}]}` + "\n" +
			`{"id":"a","text":"abc","mentions":[{"id":"T1","start":0,"end":2,"text":"xy"}]}` + "\n" +
			`{"id":"a","text":"abc","mentions":[],"relations":[{"id":"R1","head":"T1","tail":"T2","label":"x"}]}` + "\n" +
			`{"id":"a","text":"abc","mentions":[{"id":"T1","start":0,"end":1},{"id":"T1","start":0,"end":2}],"relations":[{"head":"T1","tail":"T1","label":"x"}]}` + "\n" +
			`{"id":"a","text":"abc","offsets":"words"}` + "\n" +
			`{"id":"a","error":{"detail":"the text is empty"}}` + "\n" + `{"text":"` + "\xe9" + `"}` + "\n" +
			`{"id":"a","error":{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the text is empty","field":"text"}}` + "\n" +
			`{"id":"a","error":7}`, []string{
			"error: line 1: mention T1: 0 to 4 lies outside the text",
			`error: line 2: mention T1: the text from 0 to 2 is "ab" and not "xy": the offsets, which are taken as code points, bytes or UTF-16, do not fit`,
			`error: line 3: relation R1: there is no mention with the id "T1"`,
			`error: line 4: relation R1: several mentions have the id "T1"`,
			`error: line 5: unknown unit of offsets "words": use codepoint, byte or utf16`,
			"error: line 6: the document failed before: the text is empty",
			"error: line 7: byte 10 is not UTF-8: convert the file",
			"error: line 8: the document failed before: the text is empty",
			"error: line 9: the document failed before: 7"}},

		{"BioC JSON", format.BioC, `{"source":"x","infons":{},"documents":[{"id":7,"passages":[
			{"offset":0,"infons":{"type":"title"},"text":"β-catenin","annotations":[{"id":"g1","infons":{"type":"Gene","identifier":"1499"},"text":"β-catenin","locations":[{"offset":0,"length":9}]}]},
			{"offset":10,"infons":{"type":"abstract"},"text":"binds TCF4.","annotations":[{"id":5,"infons":{"type":"Gene","identifier":6925,"score":0.5},"text":"TCF4","locations":[{"offset":16,"length":4}]}]}],
			"relations":[{"id":"R0","infons":{"type":"Bind"},"nodes":[{"refid":"g1","role":""},{"refid":"5","role":""}]},
			{"id":"R1","infons":{"type":"Association","entity1":"1499","entity2":"6925","novel":"No"},"nodes":[]}]}]}`, []string{
			`7 "β-catenin" "β-catenin\nbinds TCF4."`, "g1 0-9 β-catenin Gene 1499", "5 16-20 TCF4 Gene 6925",
			"R0 g1 -- 5 Bind", "1499 ~ 6925 Association map[novel:No]"}},
		{"BioC JSON from the middle", format.BioC, `{"documents":[{"id":"1","passages":[{"offset":120,"text":"A"},{"offset":123,"text":"β TCF4",
			"annotations":[{"id":"5","infons":{"type":"Gene"},"text":"TCF4","locations":[{"offset":125,"length":4}]}]}]}]}`, []string{
			`1 "A" "A\n\nβ TCF4"`, "5 5-9 TCF4 Gene"}},
		{"BioC JSON in bytes", format.BioC, `{"documents":[{"id":"1","passages":[{"offset":0,"text":"A"},{"offset":2,"text":"β TCF4",
			"annotations":[{"id":null,"text":"TCF4","locations":[{"offset":5,"length":4}]}]}]}]}`, []string{`1 "A" "A\nβ TCF4"`, "T1 4-8 TCF4 "}},
		{"BioC documents in lines, passages that overlap", format.BioC, `{"id":"1","passages":[{"offset":0,"text":"one"},{"offset":0,"text":"two"}]}` + "\n" +
			`[{"id":"2","passages":[{"offset":5,"text":"one"},{"offset":99999,"text":"two","annotations":[{"id":"a","text":"tw","locations":[{"offset":99999,"length":2}]}]}]}]`,
			[]string{`1 "one" "one\ntwo"`, `2 "one" "one\ntwo"`, "a 4-6 tw "}},
		{"BioC JSON with sentences and fragments", format.BioC, `{"id":"1","passages":[{"offset":0,"sentences":[{"offset":0,"text":"Left and right lung."},
			{"offset":21,"text":"No.","annotations":[{"id":"a","text":"left lung","locations":[{"offset":0,"length":4},{"offset":15,"length":4}]}]}]}]}`,
			[]string{`1 "" "Left and right lung.\nNo."`, "a 0-19 Left and right lung "}},
		{"BioC JSON, faults", format.BioC, `{"documents":[
			{"id":"1"},
			{"id":"2","passages":[{"offset":"x"}]},
			{"id":"3","passages":[{"offset":0,"text":"abc","annotations":[{"id":"a","text":"b","locations":[{"offset":0,"length":1}]}]}]},
			{"id":"4","passages":[{"offset":0,"text":"abc"}],"relations":[{"id":"R1","infons":{"type":"x"},"nodes":[{"refid":"1"}]}]},
			{"id":"5","passages":[{"offset":0,"text":"abc"}]},
			{"id":"6","passages":[{"off`, []string{
			"error: line 2: the document has no passage with a text",
			`error: line 3: no BioC document: the field "passages.0.offset" is a string`,
			`error: line 4: mention a: the text from 0 to 1 is "a" and not "b": the offsets, which are taken as code points, bytes or UTF-16, do not fit`,
			`error: line 5: relation 1 (id "R1"): it has 1 nodes: relations of two can be read, and those that name two concepts in infons`,
			`5 "" "abc"`,
			"error: line 7: the JSON ends too early: is the file cut off?"}},
		{"no BioC", format.BioC, "plain", []string{`error: neither JSON nor XML of BioC: it begins with "plain"`}},
		{"no document", format.BioC, `["x"]`, []string{"error: line 1: x stands where a document is expected"}},

		{"BioC XML", format.BioC, `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>x</source><date/><key/><document><id>7</id>
<passage><infon key="type">title</infon><offset>0</offset><text>β-catenin &amp; TCF4</text>
<annotation id="g1"><infon key="type">Gene</infon><infon key="identifier">1499</infon><location offset="0" length="9"/><text>β-catenin</text></annotation>
<annotation id="g2"><infon key="type">Gene</infon><location offset="12" length="4"/><text>TCF4</text></annotation></passage>
<relation id="R1"><infon key="type">Bind</infon><node refid="g1" role="agent"/><node refid="g2" role="target"/></relation>
</document></collection>`, []string{`7 "" "β-catenin & TCF4"`, "g1 0-9 β-catenin Gene 1499", "g2 12-16 TCF4 Gene", "R1 g1 -> g2 Bind"}},
		{"BioC XML in Latin-1", format.BioC, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><collection><document><id>1</id><passage><offset>0</offset><text>caf\xe9</text></passage></document></collection>",
			[]string{`1 "" "café"`}},
		{"BioC XML in an unknown encoding", format.BioC, "<?xml version=\"1.0\" encoding=\"klingon\"?>\n<collection><document><id>1</id></document></collection>",
			[]string{`error: line 1: no BioC document: xml: opening charset "klingon": the encoding "klingon" is unknown: convert the file to UTF-8`}},
		{"BioC XML, faults", format.BioC, "<collection>\n<document><id>1</id><passage><offset>x</offset></passage></document>\n<document><id>2</id><passage><offset>0</offset><text>two</text></passage></document>\n<document>\n<id>3</di", []string{
			`error: line 2: no BioC document: strconv.ParseInt: parsing "x": invalid syntax`, `2 "" "two"`,
			"error: line 5: the XML ends too early: is the file cut off? (XML syntax error on line 5: unexpected EOF)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, annotated(test.in, test.kind)); diff != "" {
				t.Errorf("want - got +:\n%s", diff)
			}
		})
	}
}

// Gaps between passages are filled as the file says, but a short file gives no long
// text; what is annotated stays where it is.
func TestReadBioCWithManyGaps(t *testing.T) {
	const passages, apart = 1000, 1000
	var in strings.Builder
	for i := range passages {
		at := i * apart
		fmt.Fprintf(&in, `,{"offset":%d,"text":"p%04d","annotations":[{"id":"T%d","text":"%04d","locations":[{"offset":%d,"length":4}]}]}`, at, i, i, i, at+1)
	}
	file := `{"id":"1","passages":[` + in.String()[1:] + `]}`
	for doc, err := range format.ReadAnnotated(strings.NewReader(file), format.BioC) {
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(doc.Text, "\n"); got > 64<<10+passages {
			t.Errorf("%d line feeds were filled in", got)
		}
		if at := strings.Index(doc.Text, "p0050"); at != 50*apart {
			t.Errorf("the first gaps: a passage that says that it begins at %d begins at %d", 50*apart, at)
		}
		if len(doc.Mentions) != passages {
			t.Errorf("%d mentions, want %d", len(doc.Mentions), passages)
		}
		for i, m := range doc.Mentions {
			if want := fmt.Sprintf("%04d", i); m.Text != want || doc.Text[m.Start:m.End] != want {
				t.Fatalf("mention %s from %d to %d is %q, the text there %q", m.ID, m.Start, m.End, m.Text, doc.Text[m.Start:m.End])
			}
		}
	}
}

// Without annotations, faults in them do not matter.
func TestReadPassesOverAnnotations(t *testing.T) {
	for kind, in := range map[format.Kind]string{
		format.PubTator: "1|t|one\n1\t0\t4\tones\tGene\t1\n",
		format.JSONL:    `{"id":1,"text":"one","mentions":[{"start":7,"end":4}]}`,
		format.BioC:     `{"id":"1","passages":[{"offset":0,"text":"one","annotations":[{"id":"x"}]}]}`,
	} {
		if diff := cmp.Diff([]string{`1 "" "one"`}, told(format.Read(strings.NewReader(in), kind))); diff != "" {
			t.Errorf("%s, want - got +:\n%s", kind, diff)
		}
	}
}

func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// toldIn is told of a folder, whose path is written as DIR.
func toldIn(dir string, documents iter.Seq2[graph.Document, error]) []string {
	got := told(documents)
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], dir, "DIR")
	}
	return got
}

func TestBrat(t *testing.T) {
	text := "β-catenin does not bind\nTCF4 or left and right lung."
	dir := writeFiles(t, map[string]string{
		"a.txt": text,
		"a.ann": "T1\tGene 0 9\tβ-catenin\nT2\tGene 24 28\tTCF4\nR1\tBind Arg1:T1 Arg2:E1\nE1\tBinding:T3 Theme:T1 Cause:E2\nT3\tBinding 19 23\tbind\n" +
			"E2\tNot:T4\nT4\tNot 15 18\tnot\nA1\tNegation E1\nA2\tLevel R1 high\nN1\tReference T1 NCBIGene:1499\tCTNNB1\nN2\tReference T1 KB:C1\n#1\tAnnotatorNotes T1\tsure?\n" +
			"*\tEquiv T1 T2 T3\nT5\tOrgan 32 36;47 51\tleft lung\n\n",
		"b.txt": "bad",
		"b.ann": "T1\tGene 0 3\tbad\nR1\tBind Arg1:T1 Arg2:T9\n",
		"c.txt": "bad",
		"c.ann": "T1\tGene 0 3\tbad\nT1\tGene 0 1\tb\n",
		"d.txt": "bad",
		"d.ann": "T1\tGene 0-3\tbad\n",
		"e.txt": "bad",
		"e.ann": "X1\tGene 0 3\tbad\n",
		"f.ann": "",
		"g.txt": "no annotations",
		"h.txt": "bad",
		"h.ann": "\nT1\t 0 3\tbad\n",
		"i.txt": "bad",
		"i.ann": "T1\tGene 0 3\tbad\nE1\tBinding:T1 :T1\n",
		"j.txt": "bad",
		"j.ann": "T1\tGene 0 3\tbad\nE1\t\tBinding:T1\n",
	})
	want := []string{
		fmt.Sprintf("a \"\" %q", text),
		"T1 0-9 β-catenin Gene NCBIGene:1499 C1", "T2 24-28 TCF4 Gene", "T3 19-23 bind Binding negated", "T4 15-18 not Not", "T5 32-51 left and right lung Organ",
		"R1 T1 -> T3 Bind", "R2 T3 -> T1 Theme", "R3 T3 -> T4 Cause", "R4 T1 -- T2 Equiv", "R5 T1 -- T3 Equiv",
		`error: DIR/b.ann:2: relation R1: there is no mention with the id "T9"`,
		"error: DIR/c.ann:2: the id T1 is taken by a line before",
		`error: DIR/d.ann:1: the offsets of T1 are "0-3": they must be two numbers, or several pairs with semicolons between`,
		`error: DIR/e.ann:1: no annotation of brat begins like "X1\tGene 0 3\tbad"`,
		"error: DIR/f.txt: no such file or directory",
		"error: DIR/h.ann:2: mention T1 has no type",
		`error: DIR/i.ann:2: the argument ":T1" of event E1 has no role`,
		`error: DIR/j.ann:2: E1 names too little: ""`,
	}
	if diff := cmp.Diff(want, toldIn(dir, format.ReadAnnotatedFile(dir, ""))); diff != "" {
		t.Errorf("by name, want - got +:\n%s", diff)
	}
	want = slices.Insert(want, len(want)-3, "error: DIR/g.ann: no such file or directory")
	if diff := cmp.Diff(want, toldIn(dir, format.ReadAnnotatedFile(dir, format.Brat))); diff != "" {
		t.Errorf("as brat, want - got +:\n%s", diff)
	}
}

// The names of a pair may be in capitals, and its files packed.
func TestBratByOtherNames(t *testing.T) {
	ann := "T1\tGene 0 3\tone\n"
	for _, pair := range [][2]string{{"a.TXT", "a.ann"}, {"a.txt", "a.ANN"}, {"A.TXT", "A.ANN"}, {"a.txt.gz", "a.ann.gz"}, {"a.txt", "a.ann.gz"}, {"a.TXT.GZ", "a.ann"}} {
		files := map[string]string{pair[0]: "one", pair[1]: ann}
		for name, content := range files {
			if strings.HasSuffix(strings.ToLower(name), ".gz") {
				files[name] = packed(t, content)
			}
		}
		dir := writeFiles(t, files)
		want := []string{pair[0][:1] + ` "" "one"`, "T1 0-3 one Gene"}
		for _, path := range []string{dir, filepath.Join(dir, pair[0]), filepath.Join(dir, pair[1])} {
			if diff := cmp.Diff(want, toldIn(dir, format.ReadAnnotatedFile(path, ""))); diff != "" {
				t.Errorf("%s, want - got +:\n%s", strings.TrimPrefix(path, dir), diff)
			}
		}
		if got := (format.Files{}).PassedOver(dir); got != 0 {
			t.Errorf("%v: %d files are passed over", pair, got)
		}
	}
}

// A link to a folder is as good as the folder, under its own name.
func TestReadFileBehindALink(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.txt": "a text", "b/c.txt": "one", "b/c.ann": "", "d.md": ""})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	want := []string{`DIR/a.txt "" "a text"`, `b/c "" "one"`}
	if diff := cmp.Diff(want, toldIn(link, format.ReadFile(link, ""))); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
	files := format.Files{}
	if passed, size := files.PassedOver(link), files.Size(link); passed != files.PassedOver(dir) || size != files.Size(dir) || size == 0 {
		t.Errorf("%d files passed over, %d bytes", passed, size)
	}
}

// packed is what gzip makes of a text.
func packed(t *testing.T, content string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	fmt.Fprint(w, content)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

func TestReadFile(t *testing.T) {
	wide := "\xff\xfe"
	for _, unit := range utf16.Encode([]rune("β wide")) {
		wide += string([]byte{byte(unit), byte(unit >> 8)})
	}
	dir := writeFiles(t, map[string]string{
		"a.txt": "a text", "b.jsonl": `{"id":"b","text":"one"}` + "\n" + `{"id":"c"}`, "c.txt": "1|t|one\n1|a|\n", "d.PubTator.txt.gz": packed(t, "2|t|two\n2|a|\n"),
		"e/bioc.json": `{"documents":[{"id":"3","passages":[{"offset":0,"text":"three"}]}]}`, "e/wide.txt": wide,
		"f.txt.gz": "not packed", "g.md": "passed over", "h.json": `[{"text":"four"}]`,
	})
	want := []string{`DIR/a.txt "" "a text"`, `b "" "one"`, `error: DIR/b.jsonl:2: the field "text" is missing`, `1 "" "one"`, `2 "" "two"`, `3 "" "three"`,
		`DIR/e/wide.txt "" "β wide"`, "error: DIR/f.txt.gz: unpacking: gzip: invalid header",
		` "" "four"`}
	if diff := cmp.Diff(want, toldIn(dir, format.ReadFile(dir, ""))); diff != "" {
		t.Errorf("folder, want - got +:\n%s", diff)
	}
	for name, want := range map[string]string{"g.md": `DIR/g.md "" "passed over"`, "none": "error: DIR/none: no such file or directory"} {
		if diff := cmp.Diff([]string{want}, toldIn(dir, format.ReadFile(filepath.Join(dir, name), ""))); diff != "" {
			t.Errorf("%s, want - got +:\n%s", name, diff)
		}
	}
	want = []string{"error: DIR/g.md: a text has no annotations: name another format, or put an .ann file beside it"}
	if diff := cmp.Diff(want, toldIn(dir, format.ReadAnnotatedFile(filepath.Join(dir, "g.md"), ""))); diff != "" {
		t.Errorf("annotated text, want - got +:\n%s", diff)
	}
}

// What a JSON file is, its keys tell, however much stands between them.
func TestReadJSONByItsKeys(t *testing.T) {
	infons := strings.Repeat(`"note":"text",`, 20)
	for content, want := range map[string][]string{
		`{"source":"x","infons":{` + infons + `"a":["text"]},"documents":[{"id":"a","passages":[{"offset":0,"text":"one"}]}]}`: {`a "" "one"`},
		`[{"id":"a","infons":{` + infons + `"b":{}},"passages":[{"offset":0,"text":"one"}]}]`:                                  {`a "" "one"`},
		`{"target":"x","text":"one","tracks":[{"mentions":[]}],"sourceid":"a"}`:                                                {`a "" "one"`},
		`{"id":"a","title":"mentions","text":"one"}`:                                                                           {`a "mentions" "one"`},
		"[]":          nil,
		"no JSON":     {`DIR/a.json "" "no JSON"`},
		"":            {`DIR/a.json "" ""`},
		" {\"a\": 1}": {"error: DIR/a.json: the keys of the first object tell no form of documents in JSON: name the format, if it is one"},
		`[{"id":"a"`:  {"error: DIR/a.json: the keys of the first object tell no form of documents in JSON: name the format, if it is one"},
		"\uFEFF[{}]":  {"error: DIR/a.json: the keys of the first object tell no form of documents in JSON: name the format, if it is one"},
	} {
		dir := writeFiles(t, map[string]string{"a.json": content})
		if diff := cmp.Diff(want, toldIn(dir, format.ReadFile(filepath.Join(dir, "a.json"), ""))); diff != "" {
			t.Errorf("%s, want - got +:\n%s", content, diff)
		}
	}
}

// A byte order mark, which some editors write, changes nothing.
func TestReadFileWithByteOrderMark(t *testing.T) {
	for name, content := range map[string]string{
		"a.json":     `[{"id":"a","text":"one"}]`,
		"b.json":     `{"documents":[{"id":"a","passages":[{"offset":0,"text":"one"}]}]}`,
		"c.json":     `{"sourceid":"a","text":"one","denotations":[]}`,
		"d.jsonl":    `{"id":"a","text":"one"}`,
		"e.xml":      `<?xml version="1.0" encoding="UTF-8"?><collection><document><id>a</id><passage><offset>0</offset><text>one</text></passage></document></collection>`,
		"f.pubtator": "a|t|one\n",
		"g.txt":      "a|t|one\n",
	} {
		dir := writeFiles(t, map[string]string{name: "\uFEFF" + content})
		if diff := cmp.Diff([]string{`a "" "one"`}, told(format.ReadFile(dir, ""))); diff != "" {
			t.Errorf("%s, want - got +:\n%s", name, diff)
		}
	}
	dir := writeFiles(t, map[string]string{"a.txt": "\uFEFFone", "a.ann": "\uFEFFT1\tGene 0 3\tone\n"})
	if diff := cmp.Diff([]string{`a "" "one"`, "T1 0-3 one Gene"}, told(format.ReadAnnotatedFile(dir, ""))); diff != "" {
		t.Errorf("brat, want - got +:\n%s", diff)
	}
}

// Every document comes with the place where it begins.
func TestPlaces(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.jsonl":      "\n" + `{"id":"a","text":"one"}` + "\n\n" + `{"id":"b","text":"two"}` + "\n{}\n",
		"b.json":       "[{\"id\":\"a\",\"text\":\"one\",\"mentions\":[]},\n{\"id\":\"b\",\n\"text\":\"two\"}]",
		"c.json":       "{\"documents\":[\n{\"id\":\"a\",\n\"passages\":[{\"offset\":0,\"text\":\"one\"}]},\n{\"id\":\"b\",\"passages\":[{\"offset\":0,\"text\":\"two\"}]}]}",
		"d.xml":        "<collection>\n<document><id>a</id>\n<passage><offset>0</offset><text>one</text></passage></document>\n<document><id>b</id><passage><offset>0</offset><text>two</text></passage></document></collection>",
		"e.pubtator":   "\na|t|one\na|a|more\n\n\nb|t|two\nc|t|three\n",
		"f.json":       "{\"sourceid\":\"a\",\"text\":\"one\"}\n{\"sourceid\":\"b\",\"text\":\"two\"}",
		"folder/g.txt": "one",
		"folder/g.ann": "",
		"folder/h.ann": "",
	})
	var got []string
	for document, err := range (format.Files{Annotated: true}).ReadPlaced(dir) {
		line := fmt.Sprintf("%s:%d %s", strings.TrimPrefix(document.File, dir+"/"), document.Line, document.ID)
		if err != nil {
			line += " error"
		}
		got = append(got, line)
	}
	want := []string{
		"a.jsonl:2 a", "a.jsonl:4 b", "a.jsonl:5  error", "b.json:1 a", "b.json:2 b", "c.json:2 a", "c.json:4 b", "d.xml:2 a", "d.xml:4 b",
		"e.pubtator:2 a", "e.pubtator:6 b", "e.pubtator:7 c", "f.json:1 a", "f.json:2 b", "folder/g.txt:0 folder/g", "folder/h.txt:0 folder/h error",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

// Reading can be stopped anywhere.
func TestReadingStops(t *testing.T) {
	for kind, in := range map[format.Kind]string{
		format.PubTator: "1|t|one\n\n2|t|two\n\n",
		format.JSONL:    `{"id":1,"text":"one"}` + "\n" + `{"id":2,"text":"two"}`,
		format.BioC:     `{"documents":[{"id":"1","passages":[{"offset":0,"text":"one"}]},{"id":"2","passages":[{"offset":0,"text":"two"}]}]}`,
	} {
		for d, err := range format.ReadAnnotated(strings.NewReader(in), kind) {
			if err != nil || d.ID != "1" {
				t.Errorf("%s: got %v, %v", kind, d, err)
			}
			break
		}
	}
}
