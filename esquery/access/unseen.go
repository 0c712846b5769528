package access

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"newterms/esquery/elastic"
)

// Unreadable returns the patterns that match nothing because this user may read nothing
// there. Elasticsearch answers as if nothing existed. It checks only patterns that none
// of the indices proves readable. Another cluster does not distinguish the two cases.
func Unreadable(ctx context.Context, c *elastic.Client, patterns, indices []string) ([]Unavailable, error) {
	found, err := UnmatchedRemote(ctx, c, patterns, indices)
	if err != nil {
		return nil, err
	}
	unproven := slices.DeleteFunc(unprovenPatterns(patterns, indices), elastic.IsRemote)
	if len(unproven) == 0 {
		return found, nil
	}
	missing, err := MissingPrivileges(ctx, c, ReadPrivileges(unproven))
	if elastic.HasNoHandler(err) { // security is off
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	for _, p := range missing {
		found = append(found, Unavailable{p.Index, isUnreadable})
	}
	return found, nil
}

// UnmatchedRemote returns the patterns for other clusters that match nothing there.
func UnmatchedRemote(ctx context.Context, c *elastic.Client, patterns, indices []string) (found []Unavailable, err error) {
	for _, pattern := range unprovenPatterns(patterns, indices) {
		if !elastic.IsRemote(pattern) {
			continue
		}
		matched, err := resolve(ctx, c, pattern) // it may be an alias
		if err != nil {
			return nil, err
		}
		if matched.isEmpty() {
			found = append(found, Unavailable{pattern, isUnmatched})
		}
	}
	return found, nil
}

// unprovenPatterns returns the patterns that none of the indices proves to match.
func unprovenPatterns(patterns, indices []string) []string {
	var left []string
	for _, pattern := range patterns {
		isPattern := strings.Contains(pattern, "*") && !strings.HasPrefix(pattern, "-") && !strings.Contains(pattern, "<")
		if isPattern && !slices.ContainsFunc(indices, func(index string) bool { return proves(pattern, index) }) {
			left = append(left, pattern)
		}
	}
	return left
}

// backing matches the name of a backing index with its data stream, also after a mount
// or shrink.
//
// https://www.elastic.co/docs/manage-data/data-store/data-streams
var backing = regexp.MustCompile(`^(?:[a-z]+-(?:[^.]+-)?)?\.[df]s-(.+)-\d{4}\.\d\d\.\d\d-\d{6}$`)

// proves reports whether an index certainly comes from a pattern. For aliases that is
// unknown.
func proves(pattern, index string) bool {
	ofCluster, pattern := elastic.SplitCluster(pattern)
	cluster, index := elastic.SplitCluster(index)
	if (ofCluster == "") != (cluster == "") || !elastic.Matches(ofCluster, cluster) {
		return false
	}
	pattern, _, _ = strings.Cut(pattern, "::")
	if m := backing.FindStringSubmatch(index); m != nil && elastic.Matches(pattern, m[1]) {
		return true
	}
	return elastic.Matches(pattern, index)
}
