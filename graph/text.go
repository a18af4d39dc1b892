package graph

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Errors of ValidateText.
var (
	ErrEmptyText        = errors.New("the text is empty")
	ErrTextTooLong      = errors.New("the text is too long")
	ErrInvalidUTF8      = errors.New("the text is not valid UTF-8")
	ErrControlCharacter = errors.New("the text holds a control character")
	ErrNoWords          = errors.New("the text holds no letter and no digit")
)

// ValidateText tells why a text cannot be linked or extracted from: it is empty
// or white space only, has more than maxBytes bytes (0 means any length), is not
// UTF-8, holds a control character that is no white space (tabs, line ends and form
// feeds are), or has nothing to read in it. The error wraps one of the errors above
// and names the place or the limit.
func ValidateText(text string, maxBytes int) error {
	if maxBytes > 0 && len(text) > maxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrTextTooLong, len(text), maxBytes)
	}
	if strings.TrimSpace(text) == "" {
		return ErrEmptyText
	}
	words := false
	for at, r := range text {
		switch {
		case r == utf8.RuneError && isInvalidAt(text, at):
			return fmt.Errorf("%w: byte %d", ErrInvalidUTF8, at)
		case unicode.IsControl(r) && !unicode.IsSpace(r):
			return fmt.Errorf("%w: U+%04X at byte %d", ErrControlCharacter, r, at)
		}
		words = words || unicode.IsLetter(r) || unicode.IsNumber(r)
	}
	if !words {
		return ErrNoWords
	}
	return nil
}

// FirstInvalid is the offset of the first byte that is not UTF-8, or -1.
func FirstInvalid(text []byte) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// isInvalidAt reports whether byte at begins no character.
func isInvalidAt(text string, at int) bool {
	r, size := utf8.DecodeRuneInString(text[at:])
	return r == utf8.RuneError && size == 1
}
