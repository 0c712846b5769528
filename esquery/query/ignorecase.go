package query

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxRegexp is the maximum length of a regular expression (index.max_regex_length), in
// UTF-16 code units.
const maxRegexp = 1_000

// CanIgnoreCase reports whether a value can be searched in any letter case. A value of
// more than some 200 letters cannot, unless all are ASCII.
func CanIgnoreCase(value string) bool {
	return isASCII(value) || len(utf16.Encode([]rune(inAnyCase(value)))) <= maxRegexp
}

// ignoringCase searches a keyword field for a value in any letter case. The
// case_insensitive option of a term covers only ASCII.
func ignoringCase(name, value string) DSL {
	if isASCII(value) {
		return DSL{"term": DSL{name: DSL{"value": value, "case_insensitive": true}}}
	}
	return DSL{"regexp": DSL{name: DSL{"value": inAnyCase(value)}}}
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// inAnyCase returns a regular expression of Lucene for a text, with a class for each
// letter: `[aA]`.
func inAnyCase(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch other := unicode.SimpleFold(r); {
		case other != r:
			b.WriteByte('[')
			b.WriteRune(r)
			for ; other != r; other = unicode.SimpleFold(other) {
				b.WriteRune(other)
			}
			b.WriteByte(']')
		case r < utf8.RuneSelf && !unicode.IsDigit(r): // others than letters may be operators
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
