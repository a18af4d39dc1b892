package format_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// readAll gives documents as "id/title/text" and errors as "error id: words of it".
func readAll(r io.Reader, kind format.Kind) []string {
	var got []string
	for document, err := range format.Read(r, kind) {
		var documentErr *format.DocumentError
		switch {
		case errors.As(err, &documentErr):
			got = append(got, "error "+documentErr.ID+": "+err.Error())
		case err != nil:
			got = append(got, "fatal: "+err.Error())
		default:
			got = append(got, document.ID+"/"+document.Title+"/"+document.Text)
		}
	}
	return got
}

func TestRead(t *testing.T) {
	for _, test := range []struct {
		name string
		kind format.Kind
		in   string
		want []string
	}{
		{"text", format.Text, "one\ntwo\n", []string{"//one\ntwo\n"}},
		{"text with a byte order mark", format.Text, "\uFEFFone", []string{"//one"}},
		{"empty text", format.Text, "", []string{"//"}},
		{"lines", format.JSONL, `{"id":"a","title":"t","text":"one"}` + "\n\n" + `{"text":"two"}`, []string{"a/t/one", "//two"}},
		{"lines with CRLF and byte order mark", format.JSONL, "\uFEFF{\"text\":\"one\"}\r\n{\"text\":\"two\"}\r\n", []string{"//one", "//two"}},
		{"nothing", format.JSONL, "", nil},
		{"number as id", format.JSONL, `{"id":7,"text":"one"}`, []string{"7//one"}},
		{"large number as id", format.JSONL, `{"id":12345678901234567890,"text":"one"}`, []string{"12345678901234567890//one"}},
		{"PubAnnotation", format.PubAnnotation, `{"sourcedb":"PubMed","sourceid":7,"text":"one"}`, []string{"PMID:7//one"}},
		{"PubAnnotation without a number", format.PubAnnotation, `{"sourcedb":"PubMed","text":"one"}`, []string{"//one"}},
	} {
		if diff := cmp.Diff(test.want, readAll(strings.NewReader(test.in), test.kind)); diff != "" {
			t.Errorf("%s, want - got +:\n%s", test.name, diff)
		}
	}
}

func TestReadGoesOnAfterBadLines(t *testing.T) {
	for in, want := range map[string]string{
		`{"id":"a","text":`:               "error : line 1: no JSON document",
		`{"id":"a","text":"b","more":1}`:  `error a: line 1: no JSON document with the fields id, title and text: json: unknown field "more"`,
		`{"id":"a"}`:                      `error a: line 1: the field "text" is missing`,
		`{"id":["a"],"text":"b"}`:         `error : line 1: the field "id" is ["a"]`,
		`{"id":1.5,"text":"b"}`:           `error : line 1: the field "id" is 1.5: it must be`,
		`{"text":"b"} {"text":"c"}`:       "error : line 1: no JSON document",
		`["b"]`:                           "error : line 1: no JSON document",
		`{"text":1}`:                      "error : line 1: no JSON document",
		strings.Repeat("a", 65<<20) + "a": "error : line 1: the document has more than",
	} {
		got := readAll(strings.NewReader(in+"\n"+`{"text":"next"}`), format.JSONL)
		if len(got) != 2 || !strings.HasPrefix(got[0], want) || got[1] != "//next" {
			t.Errorf("%.40s: got %q", in, got)
		}
	}
}

func TestReadStopsWhenTheReaderFails(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(`{"text":"one"}`+"\n"+`{"te`), iotest.ErrReader(errors.New("disk on fire")))
	if diff := cmp.Diff([]string{"//one", "fatal: line 2: disk on fire"}, readAll(broken, format.JSONL)); diff != "" {
		t.Error(diff)
	}
	if got := readAll(iotest.ErrReader(errors.New("disk on fire")), format.Text); len(got) != 1 || got[0] != "fatal: disk on fire" {
		t.Errorf("got %q", got)
	}
}

// JSON and XML that are broken, or that end too early, cannot be read on: that is no
// error of one document.
func TestReadStopsWhereNothingCanBeRead(t *testing.T) {
	for _, test := range []struct {
		name string
		kind format.Kind
		in   io.Reader
		want []string
	}{
		{"broken JSON", format.JSON, strings.NewReader(`[{"text":"one"},` + "\n" + `{"text":,},{"text":"three"}]`),
			[]string{"//one", "fatal: line 2: invalid character ',' looking for beginning of value"}},
		{"cut JSON", format.PubAnnotation, strings.NewReader(`[{"text":"one"},` + "\n" + `{"text":"tw`),
			[]string{"//one", "fatal: line 2: the JSON ends too early: is the file cut off?"}},
		{"JSON of another sort", format.BioC, strings.NewReader(`["x"]`), []string{"fatal: line 1: x stands where a document is expected"}},
		{"JSON whose reader fails", format.JSON, failing(`[{"text":"one"},`), []string{"//one", "fatal: line 1: disk on fire"}},
		{"broken XML", format.BioC, strings.NewReader(bioCOne + "\n<document><id>2</text></document></collection>"),
			[]string{"1//one", "fatal: line 2: broken XML: XML syntax error on line 2: element <id> closed by </text>"}},
		{"broken XML between", format.BioC, strings.NewReader(bioCOne + "\n</x>"),
			[]string{"1//one", "fatal: line 2: broken XML: XML syntax error on line 2: element <collection> closed by </x>"}},
		{"cut XML", format.BioC, strings.NewReader(bioCOne + "\n<document>"),
			[]string{"1//one", "fatal: line 2: the XML ends too early: is the file cut off? (XML syntax error on line 2: unexpected EOF)"}},
		{"XML whose reader fails", format.BioC, failing(bioCOne + "\n<document><id>2"), []string{"1//one", "fatal: line 2: no BioC document: disk on fire"}},
		{"XML whose packing is cut off", format.BioC, io.MultiReader(strings.NewReader(bioCOne), iotest.ErrReader(io.ErrUnexpectedEOF)),
			[]string{"1//one", "fatal: line 1: no BioC document: unexpected EOF"}},
		{"neither", format.BioC, strings.NewReader("plain"), []string{`fatal: neither JSON nor XML of BioC: it begins with "plain"`}},
	} {
		if diff := cmp.Diff(test.want, readAll(test.in, test.kind)); diff != "" {
			t.Errorf("%s, want - got +:\n%s", test.name, diff)
		}
	}
}

const bioCOne = `<collection><document><id>1</id><passage><offset>0</offset><text>one</text></passage></document>`

// failing is a reader that fails behind a text.
func failing(text string) io.Reader {
	return io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("disk on fire")))
}

func TestReadTextOfTooManyBytes(t *testing.T) {
	got := readAll(strings.NewReader(strings.Repeat("a", format.MaxDocumentBytes+1)), format.Text)
	if len(got) != 1 || !strings.HasPrefix(got[0], "error : the document has more than") {
		t.Errorf("got %.80q", got)
	}
}

func TestWriter(t *testing.T) {
	documents := []graph.Document{
		{ID: "a", Text: "p < 0.05", Offsets: graph.OffsetByte},
		{ID: "b", Text: "IL-2", Mentions: []graph.Mention{{ID: "T1", End: 4, Text: "IL-2", Concepts: []graph.Candidate{}}}},
	}
	for kind, want := range map[format.Kind]string{
		format.JSONL: `{"id":"a","text":"p < 0.05","offsets":"byte","mentions":[]}
{"id":"x","error":{"detail":"broken"}}
{"id":"b","text":"IL-2","mentions":[{"id":"T1","start":0,"end":4,"text":"IL-2","negated":false,"concepts":[]}]}
`,
		format.JSON: `[
{
  "id": "a",
  "text": "p < 0.05",
  "offsets": "byte",
  "mentions": []
},
{
  "id": "x",
  "error": {
    "detail": "broken"
  }
},
{
  "id": "b",
  "text": "IL-2",
  "mentions": [
    {
      "id": "T1",
      "start": 0,
      "end": 4,
      "text": "IL-2",
      "negated": false,
      "concepts": []
    }
  ]
}
]
`,
	} {
		var out bytes.Buffer
		w, err := format.NewWriter(&out, kind)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(w.Write(documents[0]), w.(format.FailureWriter).WriteError("x", errors.New("broken")), w.Write(documents[1]), w.Close())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%s, want - got +:\n%s", kind, diff)
		}
	}
}

func TestWriterOfNothing(t *testing.T) {
	for kind, want := range map[format.Kind]string{format.JSONL: "", format.JSON: "[]\n"} {
		var out bytes.Buffer
		w, err := format.NewWriter(&out, kind)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil || out.String() != want {
			t.Errorf("%s: got %q, %v", kind, out.String(), err)
		}
	}
}

func TestUnknownKinds(t *testing.T) {
	if _, err := format.ParseKind("pdf", format.Inputs); err == nil || !strings.Contains(err.Error(), "text, jsonl, json, bioc, bioc-xml, pubtator, pubannotation or brat") {
		t.Errorf("ParseKind: %v", err)
	}
	if _, err := format.NewWriter(io.Discard, format.Text); err == nil {
		t.Error("NewWriter: no error")
	}
	if got := readAll(strings.NewReader("x"), format.CSV); len(got) != 1 || !strings.HasPrefix(got[0], "fatal: ") {
		t.Errorf("Read: %q", got)
	}
}
