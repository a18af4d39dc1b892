package picture

import "strings"

// tones are the colours of entity types: pale enough for dark letters on them
// (contrast above 10:1) with a line in the full hue.
var tones = [...]struct{ fill, line string }{
	{"#e8eaed", "#6b7280"}, // no type
	{"#d6e8ff", "#1d5fbf"}, // blue
	{"#fbdfe8", "#be185d"}, // rose
	{"#fff0b8", "#8a6d00"}, // yellow
	{"#f6d9f0", "#a21c87"}, // magenta
	{"#d9f2d9", "#2f7d32"}, // green
	{"#e4ddff", "#5b3cc4"}, // violet
	{"#e6efc2", "#5f7a0a"}, // olive
	{"#ffdcdc", "#c02626"}, // red
	{"#d5ecfb", "#0b6f9e"}, // sky
	{"#ffe3c7", "#b45309"}, // orange
	{"#d3f1ef", "#0f766e"}, // teal
	{"#eee0d3", "#7a4b21"}, // brown
}

// Tone is the number of the colour of an entity type, from 1 to 12, or 0 for no
// type. It is a hash (FNV-1a), so that a type looks the same in every picture;
// the hash starts from a number that gives the twelve most frequent types of
// BioRelEx twelve colours. The page computes the same.
func Tone(entityType string) int {
	if entityType == "" {
		return 0
	}
	hash := uint32(4442)
	for _, b := range []byte(strings.ToLower(entityType)) {
		hash = (hash ^ uint32(b)) * 16777619
	}
	return 1 + int(hash>>8)%(len(tones)-1)
}
