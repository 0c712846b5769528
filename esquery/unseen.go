package esquery

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"newterms/esquery/elastic"
)

// unreadable names the patterns that match nothing because this user may read
// nothing there. Elasticsearch answers as if nothing existed. It asks only about
// patterns that none of the indices proves readable.
func unreadable(ctx context.Context, c *elastic.Client, patterns, indices []string) ([]Unavailable, error) {
	var unproved []string
	for _, pattern := range patterns {
		isLocal := !strings.Contains(pattern, ":") && !strings.HasPrefix(pattern, "-") && !strings.HasPrefix(pattern, "<")
		if isLocal && strings.Contains(pattern, "*") && !slices.ContainsFunc(indices, func(index string) bool { return proves(pattern, index) }) {
			unproved = append(unproved, pattern)
		}
	}
	if len(unproved) == 0 {
		return nil, nil
	}
	missing, err := MissingPrivileges(ctx, c, ReadPrivileges(unproved))
	var refused *elastic.ResponseError
	if errors.As(err, &refused) && refused.HasNoHandler() { // security is off
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []Unavailable
	for _, p := range missing {
		found = append(found, Unavailable{p.Index, "not readable by this user"})
	}
	return found, nil
}

// backing finds the data stream in the name of a backing index, which may have
// been mounted or shrunk since.
//
// https://www.elastic.co/docs/manage-data/data-store/data-streams
var backing = regexp.MustCompile(`^(?:[a-z]+-(?:[^.]+-)?)?\.[df]s-(.+)-\d{4}\.\d\d\.\d\d-\d{6}$`)

// proves reports whether an index is sure to be what a pattern matches. Of an alias
// it cannot tell.
func proves(pattern, index string) bool {
	if m := backing.FindStringSubmatch(index); m != nil && matches(pattern, m[1]) {
		return true
	}
	return matches(pattern, index)
}

// matches reports whether a name is the pattern with anything for each `*`.
func matches(pattern, name string) bool {
	pieces := strings.Split(pattern, "*")
	last := len(pieces) - 1
	if last == 0 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, pieces[0])
	for _, piece := range pieces[1:last] {
		if ok {
			_, name, ok = strings.Cut(name, piece)
		}
	}
	return ok && strings.HasSuffix(name, pieces[last])
}
