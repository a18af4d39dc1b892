package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// What can be wrong with the files of a release or an ontology: told with its
// place and left out, or with --strict the end of the build; what is not whole or
// not there ends it in any case. The folder is there only when the build is done.
func TestKBBuildBadInput(t *testing.T) {
	conso := kbTables["MRCONSO.RRF"]
	const cells = "ontology: cl\n\n[Term]\nid: CL:1\nname: cell\n"
	for _, tc := range []struct {
		name, file, content string
		want                string // place and message
		fatal               bool   // also without --strict
	}{
		{"too few columns", "MRCONSO.RRF", strings.Replace(conso, "PT|1|rapamycin|0", "PT|1|rapamycin", 1), "MRCONSO.RRF:1: the row has 17 columns", false},
		{"too many columns", "MRSTY.RRF", strings.Replace(kbTables["MRSTY.RRF"], "AT2|", "AT2||", 1), "MRSTY.RRF:2: the row has 7 columns", false},
		{"unknown concept", "MRREL.RRF", "C02|A3|AUI|RO|C09|A1|AUI|binds|R1||TEST|TEST|||N||\n", "MRREL.RRF:1:5: the concept C09 is not in MRCONSO", false},
		{"not UTF-8", "MRCONSO.RRF", strings.Replace(conso, "sirolimus", "sirol\xffmus", 1), "MRCONSO.RRF:2:15: the row is not valid UTF-8", false},
		{"duplicate", "MRREL.RRF", strings.Repeat(kbTables["MRREL.RRF"], 2), "MRREL.RRF:2: the row is the same", false},
		{"empty", "MRREL.RRF", "", "MRREL.RRF: the table is empty", false},
		{"circle", "cl.obo", cells + "is_a: CL:2\n\n[Term]\nid: CL:2\nname: blood cell\nis_a: CL:1\n", "cl.obo:11:7: that CL:2 is_a CL:1 closes a circle", false},
		{"two concepts", "cl.obo", cells + "xref: UMLS:C0000001\nxref: UMLS:C0000002\n", "cl.obo:7:7: the term CL:1 refers to the concepts C0000001 and C0000002", false},
		{"no row", "MRCONSO.RRF", "", "no concept is left", true},
		{"cut off", "MRCONSO.RRF", conso[:len(conso)-9], "MRCONSO.RRF:4: the table ends in the middle of a row", true},
		{"cut gzip", "MRCONSO.RRF.gz", string(zipped(t, conso)[:60]), "unpacking MRCONSO.RRF.gz", true},
		{"no MRSTY", "MRSTY.RRF", missing, "no MRSTY.RRF", true},
		{"no MRCONSO", "MRCONSO.RRF", missing, "no MRCONSO.RRF", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tables, parent := writeTables(t), t.TempDir()
			out := filepath.Join(parent, "kb")
			args := append([]string{"build", out, "--rrf", tables}, damage(t, tables, tc.file, tc.content)...)

			_, log, err := runKB(t, args...)
			switch {
			case tc.fatal:
				mustHaveFailed(t, err, parent, tc.want)
				if tc.name == "no row" && !strings.Contains(log, "MRCONSO.RRF: the table is empty") {
					t.Errorf("why there is no concept is not told: %s", log)
				}
			case err != nil || !strings.Contains(log, tc.want):
				t.Errorf("error %v, log %s", err, log)
			}
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
			_, _, err = runKB(t, append(args, "--strict")...)
			if tc.name == "no row" {
				tc.want = "MRCONSO.RRF: the table is empty"
			}
			mustHaveFailed(t, err, parent, tc.want)
		})
	}
}

const missing = "\x00" // content of a file that is not there

// damage puts a file in the place of a table, or writes an ontology, and gives
// the arguments that name it.
func damage(t *testing.T, tables, name, content string) (args []string) {
	t.Helper()
	path := filepath.Join(tables, name)
	if strings.HasSuffix(name, ".obo") {
		args = []string{"--obo", path}
	}
	for _, old := range []string{path, strings.TrimSuffix(path, ".gz")} {
		if err := os.RemoveAll(old); err != nil {
			t.Fatal(err)
		}
	}
	if content == missing {
		return nil
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return args
}

// mustHaveFailed wants an error that names a place, and nothing in the folder.
func mustHaveFailed(t *testing.T, err error, parent, want string) {
	t.Helper()
	if exitCode(err) != exitFailed || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func zipped(t *testing.T, content string) []byte {
	t.Helper()
	var packed bytes.Buffer
	to := gzip.NewWriter(&packed)
	if _, err := to.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
