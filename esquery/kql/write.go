package kql

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Equals returns the KQL `field: "value"` on one line of visible characters. Values
// reads the same field and value back from it, whatever they hold, if both are UTF-8.
func Equals(field, value string) string {
	name := field
	if !plainName.MatchString(field) || isWord.MatchString(field) {
		name = quote(field)
	}
	return name + ": " + quote(value)
}

var (
	// plainName matches the names that mean themselves without quotes.
	plainName = regexp.MustCompile(`^[A-Za-z0-9_@./-]+$`)
	// isWord matches names that have a meaning in KQL.
	isWord = regexp.MustCompile(`(?i)^(and|or|not|true|false|null)$`)
)

// quote returns a text in quotes. What cannot be seen, or changes how other text looks,
// is escaped.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == ' ' || unicode.IsPrint(r) && r != unicode.ReplacementChar:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
