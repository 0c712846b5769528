package esquery

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxRegexp is how long a regular expression may be (index.max_regex_length), in
// UTF-16 code units.
const maxRegexp = 1_000

// CanIgnoreCase reports whether a value can be asked for in any letter case. One
// of some 200 letters cannot, unless all are ASCII.
func CanIgnoreCase(value string) bool {
	return isASCII(value) || len(utf16.Encode([]rune(inAnyCase(value)))) <= maxRegexp
}

// ignoringCase asks a keyword field for a value in any letter case. A term's own
// case_insensitive knows the letters of ASCII only.
func ignoringCase(name, value string) dsl {
	if isASCII(value) {
		return dsl{"term": dsl{name: dsl{"value": value, "case_insensitive": true}}}
	}
	return dsl{"regexp": dsl{name: dsl{"value": inAnyCase(value)}}}
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// inAnyCase is a regular expression of Lucene for a text, with a class of each
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
		case r < utf8.RuneSelf && !unicode.IsDigit(r): // what is no letter may be an operator
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
