package document

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"newterms/esquery/kql"
)

// A Finding is a problem of a file at one of its lines.
type Finding struct {
	Path string
	Line int // from 1
	Text string
}

// located is an error about a document.
type located struct {
	Document
	err error
}

// Error returns an *Error about the document, whose Findings have the lines of its keys.
func (d Document) Error(err error) error { return &Error{d.Place(), &located{d, err}} }

func (l *located) Error() string { return l.err.Error() }
func (l *located) Unwrap() error { return l.err }

var (
	// placed matches what Document.Place returns for a part of a file.
	placed = regexp.MustCompile(`^(.*) line (\d+)(, data\[\d+\])?$`)
	// firstKey matches the key that an error begins with.
	firstKey = regexp.MustCompile(`^[a-z_]+`)
)

// Findings lists the problems of the rule, each with its line.
func (e *Error) Findings() []Finding {
	path, line := e.Path, 1
	if at := placed.FindStringSubmatch(path); at != nil {
		path = at[1]
		line, _ = strconv.Atoi(at[2]) // they are digits
	}
	var syntax toml.ParseError
	var of *located
	switch {
	case errors.As(e.Err, &syntax):
		return []Finding{{path, max(1, syntax.Position.Line), syntax.Message}}
	case !errors.As(e.Err, &of):
		return []Finding{{path, line, e.Err.Error()}}
	}
	var all []Finding
	for _, problem := range joinedIn(of.err) {
		line := max(line, of.LineOf(firstKey.FindString(problem.Error())))
		if inQuery, ok := errors.AsType[*kql.SyntaxError](problem); ok {
			line += of.lineInQuery(line, inQuery)
		}
		all = append(all, Finding{path, line, problem.Error()})
	}
	return all
}

func joinedIn(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// lineInQuery returns how many lines below its key an error in the query of a TOML file
// is.
func (d Document) lineInQuery(key int, e *kql.SyntaxError) int {
	lines := strings.Split(d.Text, "\n")
	if !strings.HasSuffix(d.Path, ".toml") || key > len(lines) {
		return 0
	}
	n := strings.Count(string([]rune(e.Query)[:e.Offset]), "\n")
	if begin := strings.TrimSpace(lines[key-1]); strings.HasSuffix(begin, "'''") || strings.HasSuffix(begin, `"""`) {
		n++
	}
	return n
}
