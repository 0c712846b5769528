// Package exclusion reads the exclusions that people write in KQL.
package exclusion

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"

	"newterms/esquery/kql"
)

// Parse parses the KQL of an exclusion. It refuses a blank one, which would
// match every event. It also refuses words without a field, which are typing errors or
// lists in another format. And it refuses invalid networks, because the cluster's error
// would not say where they come from.
func Parse(text string) (kql.Query, error) {
	if strings.TrimSpace(text) == "" {
		return kql.Query{}, errors.New("it is empty, which would exclude every event")
	}
	q, err := kql.Parse(text)
	if err != nil {
		return q, err
	}
	if value, line, runsOver := q.RunsOver(); runsOver {
		return q, &runsOverError{value, line}
	}
	for _, c := range q.Clauses() {
		if c.Field == "" {
			return q, fmt.Errorf("%q has no field: write FIELD: VALUE", strings.Join(c.Values, " "))
		}
		for _, v := range c.Values {
			if _, err := netip.ParsePrefix(v); err != nil && likeNetwork.MatchString(v) {
				return q, fmt.Errorf("%q is no network", v)
			}
		}
	}
	return q, nil
}

// ReadFile reads KQL expressions from a file. Each paragraph is one expression
// or, if it does not parse as one, an expression on each line. Lines that begin with #
// are comments.
func ReadFile(path string) ([]kql.Query, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var queries []kql.Query
	var paragraph []string
	line, first := 0, 0 // of the file, and of the paragraph
	end := func() error {
		more, err := parseParagraph(paragraph, path, first)
		queries, paragraph = append(queries, more...), nil
		return err
	}
	for one := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff") + "\n\n") {
		line++
		one = strings.TrimRight(one, "\r\n")
		switch {
		case strings.HasPrefix(strings.TrimSpace(one), "#"):
			one = "" // the empty line keeps the line numbers
			if len(paragraph) > 0 {
				paragraph = append(paragraph, one)
			}
		case strings.TrimSpace(one) != "":
			if len(paragraph) == 0 {
				first = line
			}
			paragraph = append(paragraph, one)
		case len(paragraph) > 0:
			if err := end(); err != nil {
				return nil, err
			}
		}
	}
	if len(queries) == 0 {
		return nil, fmt.Errorf("%s: it contains no KQL expression", path)
	}
	return queries, nil
}

func parseParagraph(lines []string, path string, first int) ([]kql.Query, error) {
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	whole, wholeErr := Parse(text)
	var over *runsOverError
	switch {
	case wholeErr == nil:
		return []kql.Query{whole}, nil
	case errors.As(wholeErr, &over):
		return nil, fmt.Errorf("%s line %d: %w", path, first+over.line-1, wholeErr)
	}
	var queries []kql.Query
	var lineErr error
	for i, one := range lines {
		if strings.TrimSpace(one) == "" {
			continue
		}
		q, err := Parse(strings.TrimSpace(one))
		if err != nil && lineErr == nil {
			lineErr = fmt.Errorf("%s line %d: %w", path, first+i, err)
		}
		if err == nil {
			queries = append(queries, q)
		}
	}
	if lineErr != nil && len(queries) == 0 && len(lines) > 1 { // it is one expression, whose error has its own line number
		return nil, fmt.Errorf("%s, expression at line %d: %w", path, first, wholeErr)
	}
	return queries, lineErr
}

// likeNetwork matches what looks like a network.
var likeNetwork = regexp.MustCompile(`^[0-9a-fA-F]*[.:][0-9a-fA-F.:]*/\d+$`)

// A runsOverError is about a value that continues on the next line, because that line
// has no field or there is no "or" between them.
type runsOverError struct {
	value string
	line  int // from 1
}

func (e *runsOverError) Error() string {
	return fmt.Sprintf("%q continues on the next line: write FIELD: (one or other) for several values, or put it in quotes", e.value)
}
