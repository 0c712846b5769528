package elastic

import (
	"errors"
	"net/http"
	"strings"
)

// TooMuchToAnswer reports whether a smaller page may get an answer: this one needs more
// buckets or memory than the cluster allows, or is larger than maxAnswer.
func TooMuchToAnswer(err error) bool {
	return errors.Is(err, errTooLarge) || HasCause(err, "too_many_buckets_exception", "circuit_breaking_exception")
}

// TooMuchToAsk reports whether a request with fewer values or documents may be
// accepted. This one has more clauses or terms than the cluster allows, or a body
// larger than a proxy allows.
func TooMuchToAsk(err error) bool {
	var refused *ResponseError
	if !errors.As(err, &refused) {
		return false
	}
	if refused.Status == http.StatusRequestEntityTooLarge || refused.Has("too_many_clauses", "too_many_nested_clauses") {
		return true
	}
	for cause := range refused.All() { // these errors have no type of their own
		if strings.Contains(cause.Reason, "max_terms_count") || strings.Contains(cause.Reason, "too many") && strings.Contains(cause.Reason, "clauses") {
			return true
		}
	}
	return false
}

// TooManyHits reports whether a search for fewer hits may be accepted: an index allows
// less than usual.
func TooManyHits(err error) bool {
	return Says(err, "index.max_result_window", "index.max_inner_result_window")
}

// TooManyDocValues reports whether an index allows fewer docvalue_fields.
func TooManyDocValues(err error) bool {
	return Says(err, "index.max_docvalue_fields_search")
}

// IsUncompilable reports whether an index could not compile the query.
func IsUncompilable(err error) bool {
	return HasCause(err, "query_shard_exception", "parse_exception") && !TooMuchToAsk(err)
}

// ForbidsExpensive reports whether the cluster forbids queries over many terms.
func ForbidsExpensive(err error) bool {
	return Says(err, "allow_expensive_queries")
}

// Fewer calls ask with a number of hits and, while these are too many, with half of
// them, down to one. It keeps the smaller number in size.
func Fewer(size *int, ask func(size int) error) error {
	err := ask(*size)
	for TooManyHits(err) && *size > 1 {
		*size = (*size + 1) / 2
		err = ask(*size)
	}
	return err
}

// InHalves calls ask with all items and, if that is too much to ask or to answer, with
// each half, down to one item. The answers are in the items' order.
func InHalves[Item, Answer any](items []Item, ask func([]Item) ([]Answer, error)) ([]Answer, error) {
	answers, err := ask(items)
	if !TooMuchToAsk(err) && !TooMuchToAnswer(err) || len(items) < 2 {
		return answers, err
	}
	half := len(items) / 2
	answers, err = InHalves(items[:half], ask)
	if err != nil {
		return nil, err
	}
	rest, err := InHalves(items[half:], ask)
	if err != nil {
		return nil, err
	}
	return append(answers, rest...), nil
}
