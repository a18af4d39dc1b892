package linker

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// BenchmarkLink links real abstracts with open-kb on one core.
func BenchmarkLink(b *testing.B) {
	l, texts := openOpenKB(b), readAbstracts(b, 2000)
	mentions, candidates, bytes, done := 0, 0, 0, 0
	b.ReportAllocs()
	for b.Loop() {
		text := texts[done%len(texts)]
		got, err := l.Link(context.Background(), text)
		if err != nil {
			b.Fatal(err)
		}
		mentions += len(got)
		for _, m := range got {
			candidates += len(m.Concepts)
		}
		bytes += len(text)
		done++
	}
	b.SetBytes(int64(bytes / done))
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "abstracts/s")
	b.ReportMetric(float64(mentions)/float64(done), "mentions/abstract")
	b.ReportMetric(float64(candidates)/float64(mentions), "candidates/mention")
}

// stages are what find does with a text, one after another.
var stages = []struct {
	name string
	run  func(*Linker, *scratch, string)
}{
	{"scan", func(_ *Linker, s *scratch, text string) { s.tokens.reset(); s.tokens.scan(text) }},
	{"stems", func(l *Linker, s *scratch, _ string) { l.findStems(s) }},
	{"walk", eachWord((*Linker).walk)},
	{"bags", eachWord((*Linker).addBags)},
	{"affixes", eachWord(func(l *Linker, s *scratch, i int) { l.addAffixed(s, i); l.addJoined(s, i) })},
	{"group", func(_ *Linker, s *scratch, _ string) { s.group() }},
	{"phrases", func(_ *Linker, s *scratch, _ string) { s.addPhrases() }},
	{"rank", func(l *Linker, s *scratch, _ string) { l.rank(s) }},
	{"final", func(l *Linker, s *scratch, _ string) { s.dropPhrases(); l.chooseFinal(s) }},
	{"mentions", func(_ *Linker, s *scratch, text string) { s.strings = s.strings[:0]; s.mentions(text) }},
	{"context", func(_ *Linker, s *scratch, text string) { MarkNegated(text, spellOut(text, s.mentions(text))) }},
}

// eachWord does something at each token that begins a word.
func eachWord(do func(*Linker, *scratch, int)) func(*Linker, *scratch, string) {
	return func(l *Linker, s *scratch, _ string) {
		for i := range s.tokens.list {
			if s.tokens.list[i].starts {
				s.firstHere = len(s.found)
				do(l, s, i)
			}
		}
	}
}

// staged is a text as a stage finds it.
type staged struct {
	text            string
	s               *scratch
	found, matches  []match
	foundHits, hits []hit
}

// restore undoes what the stage did.
func (t *staged) restore() {
	t.s.found, t.s.foundHits = append(t.s.found[:0], t.found...), append(t.s.foundHits[:0], t.foundHits...)
	t.s.matches, t.s.hits = append(t.s.matches[:0], t.matches...), append(t.s.hits[:0], t.hits...)
	t.s.strings = t.s.strings[:0]
}

// BenchmarkStages measures each stage of linking on real abstracts with open-kb.
// The time to bring back what the stage changed, a copy, is in it. "context" makes
// the mentions as well, since it changes them.
func BenchmarkStages(b *testing.B) {
	l, abstracts := openOpenKB(b), readAbstracts(b, 300)
	for at, stage := range stages {
		texts, bytes := make([]staged, len(abstracts)), 0
		for i, text := range abstracts {
			s := l.newScratch()
			s.reset()
			for _, before := range stages[:at] {
				before.run(l, s, text)
			}
			texts[i] = staged{text: text, s: s}
			texts[i].found, texts[i].foundHits = append(texts[i].found, s.found...), append(texts[i].foundHits, s.foundHits...)
			texts[i].matches, texts[i].hits = append(texts[i].matches, s.matches...), append(texts[i].hits, s.hits...)
			stage.run(l, s, text) // memory grows once
			bytes += len(text)
		}
		b.Run(stage.name, func(b *testing.B) {
			b.SetBytes(int64(bytes / len(texts)))
			b.ReportAllocs()
			for done := 0; b.Loop(); done++ {
				t := &texts[done%len(texts)]
				t.restore()
				stage.run(l, t.s, t.text)
			}
		})
	}
}

func BenchmarkSentences(b *testing.B) {
	texts := readAbstracts(b, 2000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		Sentences(texts[i%len(texts)])
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "abstracts/s")
}

// BenchmarkBuild builds and opens the dictionary of open-kb, or of the release in
// the folder that KECI_BENCH_RELEASE names, reading the release included.
func BenchmarkBuild(b *testing.B) {
	release := os.Getenv("KECI_BENCH_RELEASE")
	if release == "" {
		release = sharedData(b, "open-kb")
	}
	for b.Loop() {
		dir := b.TempDir()
		if err := buildFrom(release, dir); err != nil {
			b.Fatal(err)
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.Sys)/(1<<20), "MiB-of-Go")
		size := int64(0)
		for _, name := range dictionaryFiles {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
				size += info.Size()
			}
		}
		b.ReportMetric(float64(size)/(1<<20), "MiB-on-disk")
		start := time.Now()
		l, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "ms/open")
		l.Close()
	}
}
