package esquery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"newterms/esquery/elastic"
)

// A SimilarValue is one that people may have meant.
type SimilarValue struct {
	Value  string
	Events int64
}

// maxSimilar is how many similar values are asked for.
const maxSimilar = 10

// Similar lists values of a field, in the events of a range, whether they match
// or not, that differ from a value by their case or by one or two characters, or
// begin with it. It has none where the field is no keyword, or where the cluster
// allows no such query (search.allow_expensive_queries).
func (s *Source) Similar(ctx context.Context, r Range, field, value string) ([]SimilarValue, error) {
	if types := s.fields[field].Types; len(types) != 1 || types[0] != "keyword" || value == "" {
		return nil, nil
	}
	var answer struct {
		Values struct {
			Buckets []struct {
				Key   string `json:"key"`
				Count int64  `json:"doc_count"`
			} `json:"buckets"`
		} `json:"values"`
	}
	err := s.client.Search(ctx, s.search.request(s.similar(r, field, value)), &answer)
	if err != nil {
		if forbidsExpensive(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("look for similar values: %w", s.explain(ctx, err))
	}
	var similar []SimilarValue
	for _, b := range answer.Values.Buckets {
		if b.Key != value && isSimilar(b.Key, value) { // an array may hold others as well
			similar = append(similar, SimilarValue{b.Key, b.Count})
		}
	}
	return similar, nil
}

func (s *Source) similar(r Range, field, value string) dsl {
	with := func(more dsl) dsl { more["value"] = value; return dsl{field: more} }
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{s.within(r), anyOf([]dsl{
			{"term": with(dsl{"case_insensitive": true})},
			{"prefix": with(dsl{"case_insensitive": true})},
			{"fuzzy": with(dsl{"fuzziness": "AUTO"})},
		})}}},
		"aggs": dsl{"values": dsl{"terms": dsl{"field": field, "size": maxSimilar}}},
	}
}

// forbidsExpensive reports that the cluster allows no query that looks at many
// terms.
func forbidsExpensive(err error) bool {
	var refused *elastic.ResponseError
	if !errors.As(err, &refused) {
		return false
	}
	for cause := range refused.All() {
		if strings.Contains(cause.Reason, "allow_expensive_queries") {
			return true
		}
	}
	return false
}

// isSimilar reports whether a value is another in a different case, begins with
// it, or is at most two edits away.
func isSimilar(value, other string) bool {
	value, other = strings.ToLower(value), strings.ToLower(other)
	if strings.HasPrefix(value, other) {
		return true
	}
	a, b := []rune(value), []rune(other)
	row := make([]int, len(b)+1) // of the edits from a[:i] to b[:j], by j
	for j := range row {
		row[j] = j
	}
	for i, r := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range b {
			edits := diagonal
			if r != s {
				edits = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], edits
		}
	}
	return row[len(b)] <= 2
}
