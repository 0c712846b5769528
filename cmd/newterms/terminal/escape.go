// Package terminal prints for people: it escapes control characters, folds lines to the
// width, aligns tables, shows progress, and separates the lines of concurrent tasks. It
// knows nothing of alerts.
package terminal

import (
	"strconv"
	"strings"
	"unicode"
)

// Escape makes a text safe for a terminal; nothing else in the program does. Texts of
// events, indices and servers may hold characters that move the cursor, erase lines
// above, or reverse the order of letters. Each becomes an escape, such as \x1b.
func Escape(text string) string {
	if !strings.ContainsFunc(text, isInvisible) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isInvisible(r) {
			quoted := strconv.QuoteRuneToASCII(r) // '\x1b'
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isInvisible reports whether r is a control or format character, such as a direction
// override or a zero-width space.
func isInvisible(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || r == unicode.ReplacementChar
}
