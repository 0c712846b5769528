package alerts

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"newterms/esquery/elastic"
)

// An AmbiguousIDError reports the beginning of an id that several alerts have.
type AmbiguousIDError struct {
	Target, Prefix string
	IDs            []string // sorted; more than maxCandidates are not listed
}

func (e *AmbiguousIDError) Error() string {
	ids := slices.Clone(e.IDs[:min(len(e.IDs), maxCandidates)])
	length := len(e.Prefix) // the first at which they differ
	for i := 1; i < len(ids); i++ {
		for strings.HasPrefix(ids[i], ids[i-1][:min(length, len(ids[i-1]))]) && length < len(ids[i-1]) {
			length++
		}
	}
	for i, id := range ids {
		ids[i] = id[:min(max(length, ShortID), len(id))]
	}
	if len(e.IDs) > maxCandidates {
		ids = append(ids, "and more")
	}
	return fmt.Sprintf("%s has several alerts whose id begins with %s: %s", e.Target, e.Prefix, strings.Join(ids, ", "))
}

const (
	// ShortID is how many digits of an id are shown: one of 10,000 alerts shares them
	// with another in one case of 400,000.
	ShortID = 8
	// minPrefix is how many digits name an alert at least.
	minPrefix = 4
	// idLength is the number of digits of an id.
	idLength = 64

	maxCandidates = 5
	// maxPrefixes is how many prefixes one search resolves.
	maxPrefixes = 100
)

// FullIDs replaces beginnings of ids, of at least 4 hexadecimal digits, by the ids. It
// leaves others as they are, such as those of no alert. Its error is an
// *AmbiguousIDError if several alerts have a beginning.
func (s *Store) FullIDs(ctx context.Context, ids []string) ([]string, error) {
	full := slices.Clone(ids)
	var at []int // positions of prefixes
	for i, id := range ids {
		isHex := strings.Trim(id, "0123456789abcdef") == ""
		if isHex && len(id) >= minPrefix && len(id) < idLength {
			at = append(at, i)
		}
	}
	for part := range slices.Chunk(at, maxPrefixes) {
		if err := s.complete(ctx, full, part); err != nil {
			return nil, fmt.Errorf("look up alerts: %w", err)
		}
	}
	return full, nil
}

// complete replaces the prefixes at some positions.
func (s *Store) complete(ctx context.Context, ids []string, at []int) error {
	var answer map[string]elastic.Buckets[struct{ Key string }]
	err := s.client.Search(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: prefixesBody(ids, at)}, &answer)
	if elastic.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, i := range at {
		var found []string
		for _, b := range answer[strconv.Itoa(i)].Buckets {
			found = append(found, b.Key)
		}
		switch {
		case len(found) > 1:
			return &AmbiguousIDError{s.alertsTarget, ids[i], found}
		case len(found) == 1:
			ids[i] = found[0]
		}
	}
	return nil
}

// prefixesBody asks for the ids by aggregations: a cluster may forbid queries of
// prefixes (search.allow_expensive_queries).
func prefixesBody(ids []string, at []int) dsl {
	aggs := dsl{}
	for _, i := range at {
		aggs[strconv.Itoa(i)] = dsl{"terms": dsl{
			"field": "kibana.alert.uuid", "include": ids[i] + ".*", "size": maxCandidates + 1, "order": dsl{"_key": "asc"},
		}}
	}
	return dsl{"size": 0, "track_total_hits": false, "aggs": aggs}
}
