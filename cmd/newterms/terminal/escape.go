// Package terminal prints for people: it escapes control characters, aligns tables,
// shows progress, and separates the lines of concurrent tasks. It knows nothing of
// alerts.
package terminal

import (
	"io"
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

// Escaping returns a writer that escapes each line that is written to it.
func Escaping(w io.Writer) io.Writer { return escaping{w} }

type escaping struct{ io.Writer }

func (w escaping) Write(text []byte) (int, error) {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		lines[i] = Escape(line)
	}
	if _, err := io.WriteString(w.Writer, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(text), nil
}
