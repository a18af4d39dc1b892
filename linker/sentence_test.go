package linker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSentences(t *testing.T) {
	for _, test := range []struct {
		name string
		text string
	}{
		{name: "empty", text: ""},
		{name: "white space only", text: " \n\t "},
		{name: "plain", text: "One is here.| Two is there!| Is it?| Yes"},
		{name: "abbreviations", text: "It was given i.v. to mice (e.g. BALB/c, i.e. inbred ones; cf. Fig. 2 and Figs. 3A and 4).| Next."},
		{name: "et al", text: "Smith et al. (2010) and Jones et al. Nature 2001 agree.| We do not."},
		{name: "decimals", text: "The effect (p < 0.05) was 1.5-fold.| The rest .5 was not."},
		{name: "numbers end sentences", text: "It fell by 12.| Then it rose to 0.05.| 14 died."},
		{name: "initials", text: "J. R. Smith, by A.B. Miller and in E. coli.| It grew."},
		{name: "terms with a letter", text: "We tested for hepatitis B.| Patients were well.| They had vitamin C.| The end."},
		{name: "dotted at the end", text: "The drug was given i.v.| The patient slept until 10 a.m.| Then he woke in the U.S.| He left the U.S. Army."},
		{name: "names in lower case", text: "It binds DNA.| p53 is bound.| mTOR too.| α-Synuclein aggregates.| β is not."},
		{name: "lower case goes on", text: "The sp. nov. was approx. ten."},
		{name: "quotes and brackets", text: "He said \"no.\"| (It was late.)| \"Yes,\" she said."},
		{name: "headings and empty lines", text: "A title without a stop|\n\nThe text is here|\r\n\r\nMore."},
		{name: "wrapped lines", text: "The text\ngoes on here.|\nIt ends."},
		{name: "list numbers", text: "1. Introduction is first.| 2. Methods follow."},
		{name: "No. and Nos.", text: "Case No. 5 said no.| It is."},
		{name: "ellipsis", text: "It goes on... and on…| Then it stops."},
		{name: "no space, no end", text: "see www.example.org or v1.2.3.Next is one."},
		{name: "full-width", text: "蛋白质结合。|它们分开。"},
		{name: "versus", text: "Treated vs. Control was 5 vs. 3.| Done."},
	} {
		t.Run(test.name, func(t *testing.T) {
			var want []string
			for part := range strings.SplitSeq(test.text, "|") {
				if part = strings.TrimSpace(part); part != "" {
					want = append(want, part)
				}
			}
			text := strings.ReplaceAll(test.text, "|", "")
			var got []string
			for _, r := range Sentences(text) {
				got = append(got, text[r.Start:r.End])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want - got +:\n%s", diff)
			}
		})
	}
}

func FuzzSentences(f *testing.F) {
	for _, seed := range []string{"", "One. Two", "p < 0.05. E. coli\n\n\"X.\" y", "\xff. \xf0。A", "i.v. \u00A0The"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, r := range Sentences(text) {
			if r.Start < end || r.End <= r.Start || r.End > len(text) {
				t.Fatalf("%v after %d in %q", r, end, text)
			}
			if lost := text[end:r.Start]; strings.TrimSpace(lost) != "" {
				t.Fatalf("%q of %q is lost", lost, text)
			}
			if s := text[r.Start:r.End]; s != strings.TrimSpace(s) {
				t.Fatalf("%q is not trimmed", s)
			}
			end = r.End
		}
		if lost := text[end:]; strings.TrimSpace(lost) != "" {
			t.Fatalf("%q of %q is lost", lost, text)
		}
	})
}

func TestWindows(t *testing.T) {
	text := "One. Two is. Three! Four is longer than others. Five. Six."
	sentences := Sentences(text)
	for _, test := range []struct {
		n, longest int // bytes
		want       string
	}{
		{1, 0, "One.|Two is.|Three!|Four is longer than others.|Five.|Six."},
		{2, 100, "One. Two is.|Two is. Three!|Three! Four is longer than others.|Four is longer than others. Five.|Five. Six."},
		{2, 15, "One. Two is.|Two is. Three!|Four is longer than others.|Five. Six."},
		{3, 19, "One. Two is. Three!|Four is longer than others.|Five. Six."},
		{3, 15, "One. Two is.|Two is. Three!|Four is longer than others.|Five. Six."},
		{9, 100, text},
	} {
		var got []string
		for _, w := range Windows(sentences, test.n, func(r Range) bool { return r.End-r.Start <= test.longest }) {
			got = append(got, text[w.Start:w.End])
		}
		if strings.Join(got, "|") != test.want {
			t.Errorf("%d sentences of at most %d bytes: %q, want %q", test.n, test.longest, strings.Join(got, "|"), test.want)
		}
	}
	if got := Windows(nil, 2, nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
