package kql

import (
	"strconv"
	"strings"
	"unicode"
)

const special = `\():<>"*{}`

func isSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '\u00a0'
}

// at returns the character at pos, or 0 past the end; 0 is no valid syntax.
func (p *parser) at(pos int) rune {
	if pos < len(p.in) {
		return p.in[pos]
	}
	return 0
}

func (p *parser) spaces() {
	for isSpace(p.at(p.pos)) {
		p.pos++
	}
}

func (p *parser) token(token string) bool {
	if end := p.pos + len(token); end <= len(p.in) && string(p.in[p.pos:end]) == token {
		p.pos = end
		return true
	}
	return p.fail(strconv.Quote(token))
}

// keyword consumes an operator with the spaces that it needs around it.
func (p *parser) keyword(word string, spaceBefore bool) bool {
	if end, ok := p.keywordAt(p.pos, word, spaceBefore); ok {
		p.pos = end
		return true
	}
	return p.fail(strings.ToUpper(word))
}

func (p *parser) keywordAt(pos int, word string, spaceBefore bool) (end int, ok bool) {
	start := pos
	for spaceBefore && isSpace(p.at(pos)) {
		pos++
	}
	if spaceBefore && pos == start {
		return 0, false
	}
	end, ok = p.wordAt(pos, word)
	if !ok || !isSpace(p.at(end)) {
		return 0, false
	}
	for isSpace(p.at(end)) {
		end++
	}
	return end, true
}

func (p *parser) wordAt(pos int, word string) (end int, ok bool) {
	end = pos + len(word)
	return end, end <= len(p.in) && strings.EqualFold(string(p.in[pos:end]), word)
}

func (p *parser) operatorStartsAt(pos int) bool {
	for _, word := range []string{"or", "and"} {
		if _, ok := p.keywordAt(pos, word, true); ok {
			return true
		}
	}
	_, ok := p.keywordAt(pos, "not", false)
	return ok
}

// literal is quoted or unquoted text; what names it in an error.
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

// quoted reads "…". Inside, `*` is a plain star, and a backslash that starts
// no escape sequence stays a backslash, so "C:\Windows" is as written.
func (p *parser) quoted() (value, bool) {
	var b strings.Builder
	for pos := p.pos + 1; pos < len(p.in); {
		if p.in[pos] == '"' {
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
	pieces := []string{""}
	pos := p.pos
	for pos < len(p.in) {
		last := &pieces[len(pieces)-1]
		if r, end, ok := p.escape(pos, special); ok {
			*last += string(r)
			pos = end
		} else if word, end, ok := p.escapedKeyword(pos); ok {
			*last += word
			pos = end
		} else if p.in[pos] == '*' {
			pieces = append(pieces, "")
			pos++
		} else if strings.ContainsRune(special, p.in[pos]) || p.operatorStartsAt(pos) {
			break
		} else {
			*last += string(p.in[pos])
			pos++
		}
	}
	if pos == p.pos {
		return value{}, false
	}
	p.pos = pos
	return trimmed(pieces), true
}

// escape reads one escape sequence: a control character, `\` before one of
// the escapable characters, or `\u` and four hexadecimal digits.
func (p *parser) escape(pos int, escapable string) (r rune, end int, ok bool) {
	if p.in[pos] != '\\' || pos+1 >= len(p.in) {
		return 0, 0, false
	}
	switch next := p.in[pos+1]; {
	case next == 't':
		return '\t', pos + 2, true
	case next == 'r':
		return '\r', pos + 2, true
	case next == 'n':
		return '\n', pos + 2, true
	case strings.ContainsRune(escapable, next):
		return next, pos + 2, true
	case next == 'u' && pos+6 <= len(p.in):
		code, err := strconv.ParseUint(string(p.in[pos+2:pos+6]), 16, 32)
		return rune(code), pos + 6, err == nil
	}
	return 0, 0, false
}

func (p *parser) escapedKeyword(pos int) (word string, end int, ok bool) {
	if p.in[pos] != '\\' {
		return "", 0, false
	}
	for _, word := range []string{"or", "and", "not"} {
		if end, ok := p.wordAt(pos+1, word); ok {
			return string(p.in[pos+1 : end]), end, true
		}
	}
	return "", 0, false
}

// trimmed makes the value of unquoted text, split at its wildcards.
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

// isTrimmed reports what JavaScript's trim, and so Kibana, removes.
func isTrimmed(r rune) bool {
	return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r)
}
