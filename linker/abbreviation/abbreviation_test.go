package abbreviation

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// spelled gives the definitions as "short=long".
func spelled(text string) []string {
	list := []string{}
	for _, d := range Find(text) {
		list = append(list, text[d.Short.Start:d.Short.End]+"="+text[d.Long.Start:d.Long.End])
	}
	return list
}

func TestFind(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"initials", "Patients with multiple sclerosis (MS) were seen.", []string{"MS=multiple sclerosis"}},
		{"the paper's example", "to methyl methanesulfonate and heat shock transcription factor (HSF) alike", []string{"HSF=heat shock transcription factor"}},
		{"letters inside words", "in the presence of adenosine triphosphate (ATP)", []string{"ATP=adenosine triphosphate"}},
		{"of one word", "insulin (INS) and gonadotropin (GXH)", []string{"INS=insulin"}},
		{"a hyphen begins a word", "the anti-tumor necrosis factor (TNF) drugs", []string{"TNF=tumor necrosis factor"}},
		{"digits", "interleukin 2 (IL-2) and 5-hydroxytryptamine (5-HT)", []string{"IL-2=interleukin 2", "5-HT=5-hydroxytryptamine"}},
		{"Greek short form", "tumour necrosis factor alpha (TNF-α)", []string{"TNF-α=tumour necrosis factor alpha"}},
		{"Greek long form", "α-fetoprotein (AFP), β-amyloid (Aβ)", []string{"AFP=α-fetoprotein"}},
		{"reversed", "Levels of TNF (tumor necrosis factor) rose", []string{"TNF=tumor necrosis factor"}},
		{"reversed, with a list", "ATP (adenosine triphosphate, 10 mM)", []string{"ATP=adenosine triphosphate"}},
		{"reversed, a comma inside", "CCHF (Crimean, Congo haemorrhagic fever)", []string{"CCHF=Crimean, Congo haemorrhagic fever"}},
		{"reversed, more than the long form", "ATP (binds adenosine triphosphate)", nil},
		{"with a list", "nitric oxide (NO; 5 ppm), hydrogen sulfide (H2S, 10 ppm)", []string{"NO=nitric oxide"}},
		{"square brackets", "low-density lipoprotein [LDL]", []string{"LDL=low-density lipoprotein"}},
		{"tokenised text", "nuclear factor kappa B ( NF-kappaB ) is", []string{"NF-kappaB=nuclear factor kappa B"}},
		{"brackets inside", "calcium ion (Ca(2+)) and mitogen-activated protein (MAP) kinase (MAPK)",
			[]string{"MAP=mitogen-activated protein", "MAPK=mitogen-activated protein (MAP) kinase"}},
		{"full stops", "given intravenously (i.v.)", []string{"i.v.=intravenously"}},
		{"two words", "the Crohn disease activity index (CDA index)", []string{"CDA index=Crohn disease activity index"}},
		{"a word is no short form", "acetyl salicylic (as) and severe (see)", nil},
		{"too long a form", "one two three four five six seven eight (OTTFFSSE-1234)", nil},
		{"too far away", "Alpha went over the hills and came back to one (AB)", nil},
		{"not over a sentence", "we saw Mice. Studied rats (MSR)", nil},
		{"not over a short last word", "of PAPs. Systemic (SAP) and pulmonary arterial Ps. Apart (PPA)", nil},
		{"but over an abbreviated genus", "using E. coli polymerase (ECP)", []string{"ECP=E. coli polymerase"}},
		{"the first letter begins a word", "in a mammal (AM)", []string{"AM=a mammal"}},
		{"letters missing", "growth hormone (XYZ)", nil},
		{"defined by itself", "the MS disease MS (MS)", nil},
		{"references and figures", "as before (Smith 2001) and (Fig. 2) and (p < 0.05)", nil},
		{"unclosed", "multiple sclerosis (MS", nil},
		{"after wide characters", "😀 Ménière disease (MD) 😀", []string{"MD=Ménière disease"}},
		{"accents fold in case only", "École normale (ÉN)", []string{"ÉN=École normale"}},
		{"no break space", "multiple\u00a0sclerosis\u00a0(MS)", []string{"MS=multiple\u00a0sclerosis"}},
		{"invalid UTF-8", "\xffmultiple sclerosis (MS)\xc3(", []string{"MS=multiple sclerosis"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want == nil {
				test.want = []string{}
			}
			if diff := cmp.Diff(test.want, spelled(test.text)); diff != "" {
				t.Errorf("Find(%q), want - got +:\n%s", test.text, diff)
			}
		})
	}
}

func TestOffsetsAreBytes(t *testing.T) {
	text := "😀 Ménière disease (MD)"
	want := []Definition{{Short: Range{24, 26}, Long: Range{5, 22}}}
	if diff := cmp.Diff(want, Find(text)); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

// Brackets without end must not take long.
func TestFindHugeTexts(t *testing.T) {
	for _, unit := range []string{"(", "A(", "(A ", "AB (ab) ", "a", "[[]", "\u05d0("} {
		start := time.Now()
		Find(strings.Repeat(unit, 1<<20/len(unit)))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q: 1 MiB took %v", unit, took)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, seed := range []string{"multiple sclerosis (MS)", "MS (multiple sclerosis)", "é (É1", "a\xff b ([A.B])", "α-β (AB)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range Find(text) {
			for _, r := range []Range{d.Short, d.Long} {
				if r.Start < 0 || r.Start >= r.End || r.End > len(text) {
					t.Fatalf("%+v is no range of %q", r, text)
				}
				if !onBorder(text, r.Start) || !onBorder(text, r.End) {
					t.Fatalf("%+v of %q cuts a character", r, text)
				}
			}
			if d.Short.Start < d.Long.End && d.Long.Start < d.Short.End {
				t.Fatalf("%+v overlap in %q", d, text)
			}
		}
	})
}

// onBorder reports whether byte i of a text is between two characters.
func onBorder(text string, i int) bool {
	for at := range text {
		if at >= i {
			return at == i
		}
	}
	return i == len(text)
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat("The tumor necrosis factor (TNF) of patients with multiple sclerosis (MS) rose (p < 0.05), but not that of others. ", 12)
	b.SetBytes(int64(utf8.RuneCountInString(text)))
	b.ReportAllocs()
	for b.Loop() {
		Find(text)
	}
}
