package encoder

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
)

func BenchmarkTokenize(b *testing.B) {
	tokenizer, err := LoadTokenizer(encoderDir(b))
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("Heparin-induced thrombocytopenia (HIT) is caused by antibodies against complexes of platelet factor 4 "+
		"and heparin; IL-2Rα and Sjögren's syndrome were not seen at 5 mg/kg. ", 10)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		tokenizer.Tokenize(text)
	}
}

func BenchmarkForward(b *testing.B) {
	encoder, err := Open(enginetest.Go(), encoderDir(b))
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []struct{ batch, seq int }{{1, 64}, {8, 64}} {
		b.Run(fmt.Sprintf("%dx%d", size.batch, size.seq), func(b *testing.B) {
			rows := make([][]int32, size.batch)
			for r := range rows {
				rows[r] = make([]int32, size.seq)
				for c := range rows[r] {
					rows[r][c] = int32(1000 + 37*r + c)
				}
			}
			for b.Loop() {
				if _, err := encoder.Forward(rows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
