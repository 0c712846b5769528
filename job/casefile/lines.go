package casefile

import (
	"regexp"
	"strings"
)

// lines finds the lines of tables and keys, which the parser does not tell.
type lines []string

// header matches the head of an element of an array of tables.
var header = regexp.MustCompile(`^\s*\[\[\s*([a-z]+(\s*\.\s*[a-z]+)?)\s*\]\]`)

// of returns the line of the nth [[table]], from 0; 1 if it is written in another way.
func (l lines) of(table string, n int) int { return l.after(0, "", table, n) }

// in returns the line of the nth [[table]] of the ith case.
func (l lines) in(table string, i, n int) int {
	first := l.of("case", i)
	if line := l.after(first, "case", table, n); line > 1 {
		return line
	}
	return first
}

// after returns the line of the nth [[table]] that follows a line, up to the next
// [[until]].
func (l lines) after(line int, until, table string, n int) int {
	for i := line; i < len(l); i++ {
		found := header.FindStringSubmatch(l[i])
		switch {
		case found == nil:
		case strings.ReplaceAll(found[1], " ", "") == table:
			if n--; n < 0 {
				return i + 1
			}
		case found[1] == until:
			return 1
		}
	}
	return 1
}

// keyIn returns the line of a key in the table that begins at a line; that line if the key
// is not found.
func (l lines) keyIn(line int, key string) int {
	is := isKey(key)
	for i := line; i < len(l) && header.FindString(l[i]) == ""; i++ {
		if is.MatchString(l[i]) {
			return i + 1
		}
	}
	return line
}

// ofKey returns the first line with a key or a table of that name; 1 if there is none.
func (l lines) ofKey(key string) int {
	is := isKey(key)
	for i, text := range l {
		if is.MatchString(text) {
			return i + 1
		}
	}
	return 1
}

func isKey(key string) *regexp.Regexp {
	return regexp.MustCompile(`^\s*(\[+[^\]]*|[^=#]*\.)?["']?` + regexp.QuoteMeta(key) + `["']?\s*[\].=]`)
}
