package query

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

// Diagnose replaces errors of a search by their cause: a missing privilege to read, a
// change of the indices, or the part of the search that is refused. Only after such an
// error it sends more requests, about two for each doubling of the parts.
func (o *Opened) Diagnose(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, elastic.ErrNoShards):
		return access.ForbiddenOr(ctx, o.Client, o.Search.Indices, err)
	case errors.Is(err, elastic.ErrFewerShards):
		return o.whatChanged(ctx, err)
	case elastic.Says(err, "cannot be stored in nanosecond resolution"):
		return o.beyondNanos(err)
	case !isRefusal(err):
		return err
	}
	if changed := o.whatChanged(ctx, nil); changed != nil {
		return changed
	}
	if part, partErr := o.refusedPart(ctx); partErr != nil {
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
func (o *Opened) refusedPart(ctx context.Context) (string, error) {
	parts, err := o.parts()
	if err != nil {
		return "", nil // it was compiled before
	}
	ask := func(parts []part) error {
		var queries []DSL
		for _, p := range parts {
			queries = append(queries, p.query)
		}
		body := DSL{"size": 0, "track_total_hits": false, "query": queries[0]}
		if len(parts) > 1 {
			body["query"] = AnyOf(queries)
		}
		_, err := o.Client.Hits(ctx, o.Request(body), &[]struct{}{})
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
	query DSL
}

func (o *Opened) parts() ([]part, error) {
	clauses, err := o.ruleClauses()
	if err != nil {
		return nil, err
	}
	exclusions, err := o.exclusions()
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, c := range append(clauses, exclusions...) {
		text := c.text
		if r := []rune(text); len(r) > longestName {
			text = string(r[:longestName-3]) + "..."
		}
		parts = append(parts, part{string(c.kind) + " " + text, failIfForbidden(c.query)})
	}
	return parts, nil
}

// longestName is how many characters of a part an error quotes.
const longestName = 300
