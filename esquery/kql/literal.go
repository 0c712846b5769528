package kql

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const special = `\():<>"*{}`

func isSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '\u00a0'
}

// at returns the character at pos, or 0 past the end; 0 is no valid syntax. The parser
// reads the query only here, so that steps counts every read.
func (p *parser) at(pos int) rune {
	p.steps++
	if pos < len(p.in) {
		return p.in[pos]
	}
	return 0
}

func (p *parser) spaces() { p.pos = p.afterSpaces(p.pos) }

func (p *parser) afterSpaces(pos int) int {
	for isSpace(p.at(pos)) {
		pos++
	}
	return pos
}

func (p *parser) token(token string) bool {
	for i, r := range token {
		if p.at(p.pos+i) != r {
			return p.fail(strconv.Quote(token))
		}
	}
	p.pos += len(token)
	return true
}

// operator consumes "and" or "or" with the spaces that it needs around it.
func (p *parser) operator(word string) bool {
	start := p.afterSpaces(p.pos)
	end, ok := p.keywordAt(start, word)
	if !ok || start == p.pos {
		return p.fail(strings.ToUpper(word))
	}
	p.pos = p.afterSpaces(end)
	return true
}

// negation consumes "not" with the spaces after it.
func (p *parser) negation() bool {
	end, ok := p.keywordAt(p.pos, "not")
	if !ok {
		return p.fail("NOT")
	}
	p.pos = p.afterSpaces(end)
	return true
}

// keywordAt reports whether a word and a space are at pos.
func (p *parser) keywordAt(pos int, word string) (end int, ok bool) {
	end, ok = p.wordAt(pos, word)
	return end, ok && isSpace(p.at(end))
}

// wordAt reports whether a word is at pos, in any letter case.
func (p *parser) wordAt(pos int, word string) (end int, ok bool) {
	for i, r := range word {
		if unicode.ToLower(p.at(pos+i)) != r {
			return pos, false
		}
	}
	return pos + len(word), true
}

// literal reads quoted or unquoted text; what names it in an error.
func (p *parser) literal(what string) (value, bool) {
	if p.at(p.pos) == '"' {
		if v, ok := p.quoted(); ok {
			return v, true
		}
	} else if v, ok := p.unquoted(); ok {
		return v, true
	}
	return value{}, p.fail(what)
}

// quoted reads "…". Inside, `*` is a plain star, and a backslash that starts no escape
// sequence stays a backslash, so "C:\Windows" is as written.
func (p *parser) quoted() (value, bool) {
	var b strings.Builder
	for pos := p.pos + 1; pos < len(p.in); {
		if p.at(pos) == '"' {
			p.pos = pos + 1
			return value{kind: text, quoted: true, pieces: []string{b.String()}}, true
		}
		r, end, ok := p.escape(pos, `\"`)
		if !ok {
			r, end = p.in[pos], pos+1
		}
		b.WriteRune(r)
		pos = end
	}
	return value{}, false
}

// unquoted reads up to a special character or a keyword and trims the result.
func (p *parser) unquoted() (value, bool) {
	var pieces []string
	var piece strings.Builder
	pos := p.pos
	for {
		plain := p.plainText(pos)
		piece.WriteString(string(p.in[pos:plain]))
		pos = plain
		if text, end, ok := p.escapedText(pos); ok {
			piece.WriteString(text)
			pos = end
		} else if p.at(pos) == '*' {
			pieces = append(pieces, piece.String())
			piece.Reset()
			pos++
		} else {
			break
		}
	}
	if pos == p.pos {
		return value{}, false
	}
	v := trimmed(append(pieces, piece.String()))
	v.lineEnd = p.lineEnd(p.pos, pos)
	p.pos = pos
	return v, true
}

// lineEnd returns the first end of a line inside the text between two positions, 0 if
// there is none.
func (p *parser) lineEnd(from, to int) int {
	for from < to && isTrimmed(p.in[from]) {
		from++
	}
	for to > from && isTrimmed(p.in[to-1]) {
		to--
	}
	if at := slices.Index(p.in[from:to], '\n'); at >= 0 {
		return from + at
	}
	return 0
}

// plainText returns the end of plain text: at a special character, at "not" with a
// space after it, or before "and" or "or" with spaces around it. It looks past each run
// of spaces once, not once from each of the spaces.
func (p *parser) plainText(pos int) int {
	for pos < len(p.in) {
		r := p.at(pos)
		if strings.ContainsRune(special, r) {
			return pos
		}
		if _, ok := p.keywordAt(pos, "not"); ok {
			return pos
		}
		if !isSpace(r) {
			pos++
			continue
		}
		end := p.afterSpaces(pos)
		for _, word := range []string{"or", "and"} {
			if _, ok := p.keywordAt(end, word); ok {
				return pos
			}
		}
		pos = end
	}
	return pos
}

// trimmed returns the value of unquoted text, split at its wildcards.
func trimmed(pieces []string) value {
	last := len(pieces) - 1
	pieces[0] = strings.TrimLeftFunc(pieces[0], isTrimmed)
	pieces[last] = strings.TrimRightFunc(pieces[last], isTrimmed)
	if last > 0 {
		return value{kind: wildcard, pieces: pieces}
	}
	switch pieces[0] {
	case "true", "false":
		return value{kind: boolean, pieces: pieces}
	case "null":
		return value{kind: null, pieces: pieces}
	}
	return value{kind: text, pieces: pieces}
}

// isTrimmed reports whether JavaScript's trim, and so Kibana, removes r.
func isTrimmed(r rune) bool {
	return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r)
}
