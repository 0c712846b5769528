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
// begin with it: those of the same letters first, then those of most events. It
// has none where the field is no keyword, or where the cluster allows no such
// query (search.allow_expensive_queries).
func (s *Source) Similar(ctx context.Context, r Range, field, value string) ([]SimilarValue, error) {
	if types := s.fields[field].Types; len(types) != 1 || types[0] != "keyword" || value == "" {
		return nil, nil
	}
	type values struct {
		Values struct {
			Buckets []struct {
				Key   string `json:"key"`
				Count int64  `json:"doc_count"`
			} `json:"buckets"`
		} `json:"values"`
	}
	var answer struct {
		Case values `json:"case"`
		values
	}
	err := s.client.Search(ctx, s.search.request(s.similar(r, field, value)), &answer)
	if err != nil {
		if forbidsExpensive(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("look for similar values: %w", s.explain(ctx, err))
	}
	var similar []SimilarValue
	for _, b := range answer.Case.Values.Buckets {
		if b.Key != value && strings.EqualFold(b.Key, value) { // an array may hold others as well
			similar = append(similar, SimilarValue{b.Key, b.Count})
		}
	}
	for _, b := range answer.Values.Buckets {
		if !strings.EqualFold(b.Key, value) && isSimilar(b.Key, value) {
			similar = append(similar, SimilarValue{b.Key, b.Count})
		}
	}
	return similar[:min(len(similar), maxSimilar)], nil
}

func (s *Source) similar(r Range, field, value string) dsl {
	with := func(more dsl) dsl { more["value"] = value; return dsl{field: more} }
	sameLetters := dsl{"term": with(dsl{"case_insensitive": true})}
	values := dsl{"values": dsl{"terms": dsl{"field": field, "size": maxSimilar}}}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{s.within(r), anyOf([]dsl{
			sameLetters,
			{"prefix": with(dsl{"case_insensitive": true})},
			{"fuzzy": with(dsl{"fuzziness": "AUTO"})},
		})}}},
		"aggs": dsl{"values": values["values"], "case": dsl{"filter": sameLetters, "aggs": values}},
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
