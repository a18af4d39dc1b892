package encoder

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
)

// tinyFolder is a Hugging Face folder with the weights of the reference and a vocabulary of letters.
func tinyFolder(t testing.TB, reference *referenceBERT) string {
	t.Helper()
	dir := t.TempDir()
	writeSafetensors(t, dir, reference.fileTensors("F32"))
	writeFile(t, dir, configFile, tinyConfigJSON)
	writeFile(t, dir, vocabFile, strings.Join([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d", "##b", "##c", "##d"}, "\n")+"\n")
	return dir
}

func openTiny(t testing.TB, reference *referenceBERT) *Encoder {
	t.Helper()
	encoder, err := Open(enginetest.Go(), tinyFolder(t, reference))
	if err != nil {
		t.Fatal(err)
	}
	return encoder
}

// encodeByHand reads each window by itself with the reference.
func encodeByHand(reference *referenceBERT, tokenizer *Tokenizer, text string) [][]float64 {
	pieces := tokenizer.Tokenize(text)
	vectors := make([][]float64, len(pieces))
	for _, w := range Windows(len(pieces), 7, 4) {
		ids := []int32{tokenizer.CLS()}
		for _, p := range pieces[w.Start:w.End] {
			ids = append(ids, p.ID)
		}
		ids = append(ids, tokenizer.SEP())
		hidden := reference.forward(ids, ones([][]int32{ids})[0])
		for i := w.From; i < w.To; i++ {
			vectors[i] = hidden[1+i-w.Start]
		}
	}
	return vectors
}

func TestEncode(t *testing.T) {
	reference := newReferenceBERT(tinyConfig, 11)
	encoder := openTiny(t, reference)
	texts := []string{"a b", "", strings.Repeat("abcd ", 8), "🧬", "dcba x", strings.Repeat("a", 300), "a b c d a b c", "a b c d a b c d"}
	encoded, err := encoder.Encode(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		want := encodeByHand(reference, encoder.Tokenizer, text)
		if len(encoded[i].Vectors) != len(want) || len(encoded[i].Pieces) != len(want) {
			t.Fatalf("%q: %d pieces, %d vectors, want %d", text, len(encoded[i].Pieces), len(encoded[i].Vectors), len(want))
		}
		for p := range want {
			for c := range want[p] {
				if got := float64(encoded[i].Vectors[p][c]); !(math.Abs(got-want[p][c]) < 1e-5) {
					t.Fatalf("%q, piece %d, column %d: %g, want %g", text, p, c, got, want[p][c])
				}
			}
		}
	}
}

func TestEncodeStops(t *testing.T) {
	encoder := openTiny(t, newReferenceBERT(tinyConfig, 11))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := encoder.Encode(ctx, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestEncodeAtOnce(t *testing.T) {
	encoder := openTiny(t, newReferenceBERT(tinyConfig, 11))
	texts := []string{"a b c", "d", strings.Repeat("cab ", 9)}
	want, err := openTiny(t, newReferenceBERT(tinyConfig, 11)).Encode(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			got, err := encoder.Encode(t.Context(), texts)
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("another result at the same time (-want +got):\n%s", diff)
			}
		})
	}
	group.Wait()
}

func TestForwardNeedsShortRows(t *testing.T) {
	encoder := openTiny(t, newReferenceBERT(tinyConfig, 11))
	if _, err := encoder.Forward([][]int32{{1}, make([]int32, 10)}); err == nil || !strings.Contains(err.Error(), "10 pieces") {
		t.Errorf("error %v does not tell the length", err)
	}
}

func TestOpenNeedsOneVocabulary(t *testing.T) {
	dir := tinyFolder(t, newReferenceBERT(tinyConfig, 11))
	writeFile(t, dir, vocabFile, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"+strings.Repeat("a\n", 8))
	if _, err := Open(enginetest.Go(), dir); err == nil || !strings.Contains(err.Error(), "12 pieces") {
		t.Errorf("error %v does not tell that the vocabulary has 12 pieces", err)
	}
}
