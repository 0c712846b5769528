package kql

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// A SyntaxError says where a query stops being KQL.
type SyntaxError struct {
	Query    string
	Offset   int      // of the offending character, counted in characters from 0
	Found    string   // that character, or "" at the end of the query
	Expected []string // what would be valid there, sorted
	Reason   string   // replaces Expected if the grammar is not the reason
}

// Error includes the line and column, both counted from 1.
func (e *SyntaxError) Error() string {
	before := []rune(e.Query)[:e.Offset]
	line, column := 1, 1
	for _, r := range before {
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	at := fmt.Sprintf("KQL line %d, column %d (offset %d): ", line, column, e.Offset)
	if e.Reason != "" {
		return at + e.Reason
	}
	found := "the end of the query"
	if e.Found != "" {
		found = fmt.Sprintf("%q", e.Found)
	}
	return at + fmt.Sprintf("found %s, expected %s", found, strings.Join(e.Expected, ", "))
}

// checkEncoding refuses invalid UTF-8, which would become replacement characters and
// match other values.
func (p *parser) checkEncoding() {
	if utf8.ValidString(p.query) {
		return
	}
	rest := p.query
	for pos := range p.in {
		r, size := utf8.DecodeRuneInString(rest)
		if r == utf8.RuneError && size == 1 {
			p.refuse(pos, fmt.Sprintf("the byte 0x%02x is not UTF-8", rest[0]))
			return
		}
		rest = rest[size:]
	}
}

func (p *parser) syntaxError() error {
	e := &SyntaxError{Query: p.query, Offset: p.furthest}
	if p.furthest < len(p.in) {
		e.Found = string(p.in[p.furthest])
	}
	if e.Reason = p.refusal; e.Reason == "" {
		e.Expected = slices.Sorted(maps.Keys(p.expected))
	}
	return e
}

// refuse ends parsing with an error that is not about grammar. The first one stays,
// whatever is tried after it.
func (p *parser) refuse(pos int, reason string) {
	if p.refusal == "" {
		p.refusal, p.furthest = reason, pos
	}
}

func (p *parser) fail(expected string) bool {
	if p.refusal != "" || p.pos < p.furthest {
		return false
	}
	if p.pos > p.furthest {
		p.furthest = p.pos
		clear(p.expected)
	}
	p.expected[expected] = true
	return false
}
