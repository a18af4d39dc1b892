package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxIDBytes is the longest document id that stores accept.
const MaxIDBytes = 512

// TextID is the id of a document that comes without one: "sha256:" and the hash
// of its text in hexadecimal.
func TextID(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ValidateID tells why id cannot be the id of a document: it is empty, longer
// than MaxIDBytes, not UTF-8, or holds a control character.
func ValidateID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("the id is empty")
	case len(id) > MaxIDBytes:
		return fmt.Errorf("the id has %d bytes; at most %d are allowed", len(id), MaxIDBytes)
	case !utf8.ValidString(id):
		return fmt.Errorf("the id is not valid UTF-8")
	}
	for at, r := range id {
		if unicode.IsControl(r) {
			return fmt.Errorf("the id holds the control character U+%04X at byte %d", r, at)
		}
	}
	return nil
}
