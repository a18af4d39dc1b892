package negation

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// negated lists which of the names are in a scope, at their first place.
func negated(sentence string, names []string) []string {
	list := []string{}
	for _, name := range names {
		at := strings.Index(sentence, name)
		if slices.ContainsFunc(Scopes(sentence), func(s Scope) bool { return s.Holds(at, at+len(name)) }) {
			list = append(list, name)
		}
	}
	return list
}

func TestScopes(t *testing.T) {
	for _, test := range []struct {
		name, sentence string
		names, want    []string
	}{
		{"nothing", "Fever and cough.", []string{"Fever", "cough"}, nil},
		{"what follows", "The patient denies chest pain.", []string{"patient", "chest pain"}, []string{"chest pain"}},
		{"to the end of the sentence", "There was no fever, cough or dyspnoea at night.", []string{"fever", "cough", "dyspnoea"}, []string{"fever", "cough", "dyspnoea"}},
		{"to a termination", "No fever but severe cough.", []string{"fever", "cough"}, []string{"fever"}},
		{"to a longer termination", "without oedema apart from ascites", []string{"oedema", "ascites"}, []string{"oedema"}},
		{"what comes before", "Pneumonia was ruled out.", []string{"Pneumonia"}, []string{"Pneumonia"}},
		{"what comes before, to a termination", "Cough persisted although pneumonia was ruled out", []string{"Cough", "pneumonia"}, []string{"pneumonia"}},
		{"after is not after", "Pneumonia is unlikely in asthma", []string{"Pneumonia", "asthma"}, []string{"Pneumonia"}},
		{"pseudo", "Not only fever, there was no increase of pain", []string{"fever", "pain"}, nil},
		{"pseudo, longer than the negation", "Gram negative sepsis cannot be ruled out", []string{"sepsis"}, nil},
		{"what is not settled", "CT of the lesion did not rule out carcinoma; pneumonia should be ruled out", []string{"lesion", "carcinoma", "pneumonia"}, nil},
		{"the longest phrase", "no evidence of tumour", []string{"evidence", "tumour"}, []string{"tumour"}},
		{"over a line end", "no\nevidence   of tumour", []string{"tumour"}, []string{"tumour"}},
		{"molecules", "FK506 does not bind FKBP12 but binds calcineurin", []string{"FK506", "FKBP12", "calcineurin"}, []string{"FKBP12"}},
		{"contractions", "It doesn’t inhibit mTOR; p53 isn't bound", []string{"mTOR", "bound"}, []string{"mTOR", "bound"}},
		{"in a word", "Nothing notable: nodules, knot", []string{"nodules", "knot"}, nil},
		{"two", "neither fever nor cough, yet pain without nausea", []string{"fever", "cough", "pain", "nausea"}, []string{"fever", "cough", "nausea"}},
		{"the trigger's own words", "absence of breath sounds", []string{"absence"}, nil},
		{"case", "NO FEVER", []string{"FEVER"}, []string{"FEVER"}},
		{"wide characters", "😀 ohne; no Ménière's disease", []string{"ohne", "Ménière's disease"}, []string{"Ménière's disease"}},
		{"invalid UTF-8", "\xffno\xc3 fever", []string{"fever"}, []string{"fever"}},
		{"free of", "free of tumour, and of metastases", []string{"tumour", "metastases"}, []string{"tumour", "metastases"}},
		{"not free", "Patients with cancer on tamoxifen had longer disease-free survival", []string{"cancer", "tamoxifen"}, nil},
		{"to a semicolon", "No patients with asthma died; pneumonia was common", []string{"asthma", "pneumonia"}, []string{"asthma"}},
		{"from a semicolon", "Asthma was common; pneumonia was ruled out", []string{"Asthma", "pneumonia"}, []string{"pneumonia"}},
		{"in a translocation", "no evidence of t(9;22) or fever", []string{"t(9;22)", "fever"}, []string{"t(9;22)", "fever"}},
		{"five words", "Symptoms do not usually appear until the body is damaged from pressure", []string{"appear", "body", "damaged", "pressure"}, []string{"appear", "body"}},
		{"five words back", "Mice with diabetes and antibodies that bind insulin were not detected", []string{"diabetes", "antibodies", "insulin"}, []string{"antibodies", "insulin"}},
		{"five words after or", "without pain in the chest or shortness of breath at night in winter", []string{"pain", "chest", "breath", "night", "winter"}, []string{"pain", "chest", "breath", "night"}},
		{"a list", "no fever, cough, pain in the chest, weight loss, or nausea at night, and asthma", []string{"fever", "cough", "chest", "weight loss", "nausea", "night", "asthma"}, []string{"fever", "cough", "chest", "weight loss", "nausea", "night"}},
		{"a list that ends with and", "without fever, cough and nausea", []string{"fever", "cough", "nausea"}, []string{"fever", "cough", "nausea"}},
		{"a list without and", "denies fever, chest pain, cough", []string{"fever", "chest pain", "cough"}, []string{"fever", "chest pain", "cough"}},
		{"a clause after a comma", "Without surfactant, the lungs collapse, and the infant has to work hard to breathe", []string{"surfactant", "lungs", "infant", "breathe"}, []string{"surfactant"}},
		{"a short clause after a comma", "In the absence of fever, the patient left", []string{"fever", "patient"}, []string{"fever"}},
		{"a number with a comma", "no 1,000 patients with asthma", []string{"asthma"}, []string{"asthma"}},
		{"to a bracket", "They are benign (not cancer) and spread (no p53 (TP53) mutation), fever", []string{"cancer", "spread", "TP53", "mutation", "fever"}, []string{"cancer", "TP53", "mutation"}},
		{"to the next line of a list", "Absent radius - Fibular aplasia - No cyst", []string{"radius", "Fibular", "cyst"}, []string{"radius", "cyst"}},
		{"what articles say", "Cancer with or without metastases did not change survival, and not all tumours, nor relapses, did", []string{"metastases", "survival", "tumours", "relapses"}, []string{"relapses"}},
		{"what became better", "The rash resolved after treatment with prednisone", []string{"rash", "prednisone"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want == nil {
				test.want = []string{}
			}
			if diff := cmp.Diff(test.want, negated(test.sentence, test.names)); diff != "" {
				t.Errorf("%q, want - got +:\n%s", test.sentence, diff)
			}
		})
	}
}

func TestTriggersAreRead(t *testing.T) {
	kinds := map[kind]int{}
	var visit func(*trigger)
	visit = func(t *trigger) {
		kinds[t.kind]++
		for _, next := range t.next {
			visit(next)
		}
	}
	visit(triggers)
	for _, k := range headings {
		if kinds[k] < 20 {
			t.Errorf("kind %d has %d phrases", k, kinds[k])
		}
	}
	seen := map[string]bool{}
	for line := range strings.Lines(triggersText) {
		if line = strings.TrimSpace(line); line != "" && seen[line] {
			t.Errorf("%q is there twice", line)
		}
		seen[line] = true
	}
}

func FuzzScopes(f *testing.F) {
	for _, seed := range []string{"no fever", "fever was ruled out, but", "\xff not’ ’", "é no evidence\n of"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sentence string) {
		for _, s := range Scopes(sentence) {
			if s.Start < 0 || s.End > len(sentence) || s.Start > s.End {
				t.Fatalf("%+v is no range of %q", s, sentence)
			}
		}
	})
}

func BenchmarkScopes(b *testing.B) {
	const sentence = "The patient, who denied chest pain, had neither fever nor cough, but pneumonia could not be ruled out in the absence of an X-ray."
	b.SetBytes(int64(len(sentence)))
	b.ReportAllocs()
	for b.Loop() {
		Scopes(sentence)
	}
}
