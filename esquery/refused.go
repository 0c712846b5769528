package esquery

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// A MappingError reports a part of a search that Elasticsearch cannot turn into a
// query, so that no retry helps. It is malformed, has a value or wildcard that its
// field's type does not accept, or is forbidden by the cluster.
type MappingError struct {
	// Part is the refused clause, filter or exclusion; "" if it is not known.
	Part string
	// Forbidden reports that the cluster allows no slow queries
	// (search.allow_expensive_queries).
	Forbidden bool
	err       error
}

func (e *MappingError) Error() string {
	text := e.err.Error()
	if e.Forbidden {
		text = "the cluster forbids " + kindOfForbidden(e.err) + " queries (search.allow_expensive_queries is false)"
	}
	if e.Part == "" {
		return text
	}
	return e.Part + ": " + text
}
func (e *MappingError) Unwrap() error { return e.err }

// kindOfForbidden returns Elasticsearch's name for the kind of query.
func kindOfForbidden(err error) string {
	_, after, _ := strings.Cut(err.Error(), "[")
	switch kind, _, _ := strings.Cut(after, "]"); kind {
	case "wildcard", "prefix", "regexp", "fuzzy", "script":
		return kind
	case "range":
		return "keyword range"
	}
	return "nested and wildcard" // failIfForbidden adds a nested query to wildcards
}

// explain replaces two kinds of errors of a search by their cause: a missing privilege
// to read, or the part of the search that is refused. Only after a refusal it sends
// more requests, about two for each doubling of the parts.
func (s *Source) explain(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, elastic.ErrNoShards):
		return access.ForbiddenOr(ctx, s.client, s.search.Indices, err)
	case errors.Is(err, elastic.ErrFewerShards):
		return s.whatChanged(ctx, err)
	case isBeyondNanos(err):
		return s.beyondNanos(err)
	case !isRefusal(err):
		return err
	}
	if changed := s.whatChanged(ctx, nil); changed != nil {
		return changed
	}
	if part, partErr := s.refusedPart(ctx); partErr != nil {
		return &MappingError{part, elastic.ForbidsExpensive(partErr), partErr}
	}
	if elastic.IsUncompilable(err) || elastic.ForbidsExpensive(err) {
		return &MappingError{"", elastic.ForbidsExpensive(err), err}
	}
	return err
}

// isRefusal reports whether the request itself may be the reason for an error.
func isRefusal(err error) bool {
	var refused *elastic.ResponseError
	return errors.As(err, &refused) && (refused.Status == http.StatusBadRequest || elastic.ForbidsExpensive(err)) &&
		!elastic.TooMuchToAsk(err) && !elastic.TooMuchToAnswer(err)
}

// maxPartsAtOnce is how many parts one request tests: every cluster accepts as many
// clauses.
const maxPartsAtOnce = 200

// refusedPart tests the parts of the search, and returns the name and the error of the
// first refused one; nil if there is none.
func (s *Source) refusedPart(ctx context.Context) (string, error) {
	parts, err := s.parts()
	if err != nil {
		return "", nil // it was compiled before
	}
	ask := func(parts []part) error {
		var queries []dsl
		for _, p := range parts {
			queries = append(queries, p.query)
		}
		body := dsl{"size": 0, "track_total_hits": false, "query": queries[0]}
		if len(parts) > 1 {
			body["query"] = anyOf(queries)
		}
		_, err := s.client.Hits(ctx, s.request(body), &[]struct{}{})
		if !isRefusal(err) {
			return nil
		}
		return err
	}
	for some := range slices.Chunk(parts, maxPartsAtOnce) {
		if ask(some) == nil {
			continue
		}
		for len(some) > 1 {
			if half := some[:len(some)/2]; ask(half) != nil {
				some = half
			} else {
				some = some[len(some)/2:]
			}
		}
		return some[0].name, ask(some)
	}
	return "", nil
}

// A part of a search is one of the queries that it consists of.
type part struct {
	name  string
	query dsl
}

func (s *Source) parts() ([]part, error) {
	var parts []part
	add := func(kind ConditionKind, text string, query dsl) {
		if r := []rune(text); len(r) > longestName {
			text = string(r[:longestName-3]) + "..."
		}
		parts = append(parts, part{string(kind) + " " + text, failIfForbidden(query)})
	}
	err := s.queryAndFilters(func(kind ConditionKind, text string, query dsl, _ bool) { add(kind, text, query) })
	if err != nil {
		return nil, err
	}
	for _, q := range s.search.Exclude {
		query, err := q.Compile(s.fields)
		if err != nil {
			return nil, excludeError(err)
		}
		add(Exclusion, q.String(), query)
	}
	for _, e := range s.search.Exceptions {
		add(Exclusion, e.Name, e.compile(s.fields))
	}
	return parts, nil
}

// longestName is how many characters of a part an error quotes.
const longestName = 300

// failIfForbidden makes a query fail if the cluster forbids it, where it would silently
// match nothing: free text is lenient. It adds a nested query, which is refused
// whatever the mapping, and which changes no match.
func failIfForbidden(query dsl) dsl {
	if !isLenient(query) {
		return query
	}
	return dsl{"bool": dsl{"filter": []dsl{query}, "must_not": []dsl{
		{"nested": dsl{"path": "newterms.is_asking", "query": dsl{"match_all": dsl{}}, "ignore_unmapped": true}},
	}}}
}

// isLenient reports whether a query searches for patterns and silently skips fields
// that do not support them.
func isLenient(query any) bool {
	switch q := query.(type) {
	case []dsl:
		return slices.ContainsFunc(q, func(one dsl) bool { return isLenient(one) })
	case []any:
		return slices.ContainsFunc(q, isLenient)
	case dsl:
		kind, _ := q["type"].(string)
		if q["lenient"] == true && (q["fuzziness"] != nil || strings.HasSuffix(kind, "prefix")) { // of a match
			return true
		}
		for kind, value := range q {
			if body, ok := value.(dsl); ok && strings.HasSuffix(kind, "query_string") {
				text, _ := body["query"].(string)
				if (body["lenient"] == true || isOfAllFields(body)) && text != "*" && strings.ContainsAny(text, `*?~/[{<>`) {
					return true
				}
			}
			if isLenient(value) {
				return true
			}
		}
	}
	return false
}

// isOfAllFields reports whether a query_string names no field, which makes it lenient.
func isOfAllFields(body dsl) bool {
	switch field := body["default_field"]; {
	case field == "*":
		return true
	case field != nil:
		return false
	}
	switch fields := body["fields"].(type) {
	case nil:
		return true
	case []any:
		return slices.Contains(fields, any("*"))
	}
	return false
}
