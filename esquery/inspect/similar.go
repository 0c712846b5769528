package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
)

// A SimilarValue is a value that the user may have meant.
type SimilarValue struct {
	Value  string
	Events int64
}

// maxSimilar is the number of similar values in an answer. longestSimilar is the
// maximum number of characters to compare: Elasticsearch builds a state machine for
// each.
const (
	maxSimilar     = 10
	longestSimilar = 256
)

// mayHaveSimilar reports whether a search for similar values is possible: keywords
// only.
func mayHaveSimilar(o *query.Opened, field, value string) bool {
	f := o.Mapping.Fields[field]
	return !f.Object && slices.Equal(f.Types, []string{"keyword"}) && value != "" && len([]rune(value)) <= longestSimilar
}

// SameLetters lists values that differ from a value only by letter case. It searches
// all events in a range, matching or not. It returns none for fields that are no
// keywords, or whose mapping ignores letter case.
func SameLetters(ctx context.Context, o *query.Opened, r query.Range, field, value string) ([]SimilarValue, error) {
	if !mayHaveSimilar(o, field, value) {
		return nil, nil
	}
	var queries []dsl
	for _, text := range cases(value) {
		queries = append(queries, dsl{"term": dsl{field: dsl{"value": text, "case_insensitive": true}}})
	}
	found, err := valuesLike(ctx, o, r, field, value, queries)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(v SimilarValue) bool { // an array may hold other values too
		return v.Value == value || !strings.EqualFold(v.Value, value)
	}), nil
}

// cases returns a text as it is, in lower and upper case, and capitalized.
// Elasticsearch ignores case only in ASCII.
func cases(text string) []string {
	before := ' '
	title := strings.Map(func(r rune) rune {
		starts := !unicode.IsLetter(before)
		if before = r; starts {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, text)
	all := []string{text, strings.ToLower(text), strings.ToUpper(text), title}
	slices.Sort(all)
	return slices.Compact(all)
}

// Similar lists values that begin with a value, or differ from it by one or two
// characters. It searches all events in a range, matching or not. The most frequent
// values come first. It returns none for fields that are no keywords. forbidden reports
// that the cluster does not allow such a search (search.allow_expensive_queries).
func Similar(ctx context.Context, o *query.Opened, r query.Range, field, value string) (similar []SimilarValue, forbidden bool, err error) {
	if !mayHaveSimilar(o, field, value) {
		return nil, false, nil
	}
	with := func(more dsl) dsl { more["value"] = value; return dsl{field: more} }
	found, err := valuesLike(ctx, o, r, field, value, []dsl{
		{"prefix": with(dsl{"case_insensitive": true})},
		{"fuzzy": with(dsl{"fuzziness": "AUTO"})},
	})
	if elastic.ForbidsExpensive(err) {
		return nil, true, nil
	}
	return slices.DeleteFunc(found, func(v SimilarValue) bool {
		return strings.EqualFold(v.Value, value) || !isSimilar(v.Value, value)
	}), false, err
}

// valuesLike lists the field's values in events that match one of the queries. It
// leaves out the form that the mapping gives to the value itself.
func valuesLike(ctx context.Context, o *query.Opened, r query.Range, field, value string, queries []dsl) ([]SimilarValue, error) {
	type values = elastic.Buckets[struct {
		Key   string `json:"key"`
		Count int64  `json:"doc_count"`
	}]
	var answer struct {
		Values  values `json:"values"`
		Itself  values `json:"itself"`
		Without struct {
			Values values `json:"values"`
		} `json:"without"`
	}
	all := dsl{"terms": dsl{"field": field, "size": 2 * maxSimilar}}
	body := elastic.Aggregate(dsl{
		"values": all, "itself": dsl{"terms": dsl{"field": field, "include": []string{value}}},
		"without": dsl{"filter": query.Not(dsl{"term": dsl{field: value}}), "aggs": dsl{"values": all}},
	}, o.Within(r), query.AnyOf(queries))
	if err := o.Client.Search(ctx, o.Request(body), &answer); err != nil {
		return nil, fmt.Errorf("look for similar values: %w", err)
	}
	others := map[string]bool{}
	for _, b := range answer.Without.Values.Buckets {
		others[b.Key] = true
	}
	var found []SimilarValue
	isWrittenSo := len(answer.Itself.Buckets) > 0
	for _, b := range answer.Values.Buckets {
		if (others[b.Key] || isWrittenSo) && len(found) < maxSimilar {
			found = append(found, SimilarValue{b.Key, b.Count})
		}
	}
	return found, nil
}

// isSimilar reports whether a value begins with another, is at most two edits away from
// it, or differs by case.
func isSimilar(value, other string) bool {
	value, other = strings.ToLower(value), strings.ToLower(other)
	return strings.HasPrefix(value, other) || words.Edits(value, other) <= 2
}
