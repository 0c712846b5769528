package kql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// escapedText reads a backslash and the characters whose meaning it changes.
func (p *parser) escapedText(pos int) (text string, end int, ok bool) {
	if r, end, ok := p.escape(pos, special); ok {
		return string(r), end, true
	}
	if p.at(pos) != '\\' {
		return "", 0, false
	}
	for _, word := range []string{"or", "and", "not"} {
		if end, ok := p.wordAt(pos+1, word); ok {
			return string(p.in[pos+1 : end]), end, true
		}
	}
	return "", 0, false
}

// escape reads one escape sequence: a control character, `\` before one of the
// escapable characters, or `\u` and four hexadecimal digits.
func (p *parser) escape(pos int, escapable string) (r rune, end int, ok bool) {
	if p.at(pos) != '\\' || pos+1 >= len(p.in) {
		return 0, 0, false
	}
	switch next := p.at(pos + 1); {
	case next == 't':
		return '\t', pos + 2, true
	case next == 'r':
		return '\r', pos + 2, true
	case next == 'n':
		return '\n', pos + 2, true
	case strings.ContainsRune(escapable, next):
		return next, pos + 2, true
	case next == 'u':
		return p.unicodeEscape(pos)
	}
	return 0, 0, false
}

// unicodeEscape reads `\u` and four hexadecimal digits, or two of these that form one
// character of more than 16 bits, as in JavaScript and JSON. Elasticsearch reads half
// of such a pair as a replacement character, and finds the documents that hold that.
func (p *parser) unicodeEscape(pos int) (r rune, end int, ok bool) {
	r, ok = p.codeUnit(pos)
	if !ok || !utf16.IsSurrogate(r) {
		return r, pos + 6, ok
	}
	if second, ok := p.codeUnit(pos + 6); ok {
		if r := utf16.DecodeRune(r, second); r != unicode.ReplacementChar {
			return r, pos + 12, true
		}
	}
	p.refuse(pos, fmt.Sprintf(`%s is half of a character: write the character itself, or both halves as in \ud83d\ude00`, string(p.in[pos:pos+6])))
	return 0, 0, false
}

// codeUnit returns the number in an escape at pos.
func (p *parser) codeUnit(pos int) (rune, bool) {
	if pos+6 > len(p.in) || p.at(pos) != '\\' || p.at(pos+1) != 'u' {
		return 0, false
	}
	code, err := strconv.ParseUint(string(p.in[pos+2:pos+6]), 16, 16)
	return rune(code), err == nil
}
