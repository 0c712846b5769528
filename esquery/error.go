package esquery

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ErrIncomplete is wrapped by every error about an answer that arrived and
// cannot be trusted: failed shards, a timeout, a skipped cluster, no shard at
// all, something that is not Elasticsearch's JSON.
var ErrIncomplete = errors.New("incomplete answer")

// errNoShards is an answer from nowhere.
var errNoShards = fmt.Errorf("%w: no shard was searched: the indices are gone, or this user may not read them", ErrIncomplete)

// errTooLarge is an answer over MaxAnswer.
var errTooLarge = fmt.Errorf("the answer is larger than %d MB", MaxAnswer>>20)

// A ResponseError is an answer with an HTTP error status.
type ResponseError struct {
	Status int
	Type   string // Elasticsearch's name for the error, "" if it gave none
	Reason string
	all    []errorReason // the error and all that caused it
}

func (e *ResponseError) Error() string {
	return strings.TrimRight(fmt.Sprintf("%d %s: %s", e.Status, e.Type, e.Reason), ": ")
}

// StatusCode is the HTTP status.
func (e *ResponseError) StatusCode() int { return e.Status }

// tooMuchToAnswer reports whether a smaller page may get an answer.
func tooMuchToAnswer(err error) bool {
	var refused *ResponseError
	return errors.Is(err, errTooLarge) || errors.As(err, &refused) &&
		refused.has("too_many_buckets_exception", "circuit_breaking_exception")
}

// tooMuchToAsk reports whether a query with fewer values may be accepted: more
// clauses or terms than the cluster allows, or a body larger than something on
// the way allows.
func tooMuchToAsk(err error) bool {
	var refused *ResponseError
	return errors.As(err, &refused) && (refused.Status == http.StatusRequestEntityTooLarge ||
		refused.has("too_many_clauses", "too_many_nested_clauses") ||
		strings.Contains(refused.Reason, "max_terms_count") || strings.Contains(refused.Reason, "too many") && strings.Contains(refused.Reason, "clauses"))
}

func (e *ResponseError) has(types ...string) bool {
	return slices.ContainsFunc(e.all, func(r errorReason) bool { return slices.Contains(types, r.Type) })
}

type errorReason struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
}

// errorTree is an error with what caused it, as Elasticsearch tells it.
type errorTree struct {
	errorReason
	RootCause    []errorTree `json:"root_cause"`
	CausedBy     *errorTree  `json:"caused_by"`
	FailedShards []struct {
		Reason errorTree `json:"reason"`
	} `json:"failed_shards"`
}

func (t errorTree) flat() []errorReason {
	all := []errorReason{t.errorReason}
	for _, cause := range t.RootCause {
		all = append(all, cause.flat()...)
	}
	if t.CausedBy != nil {
		all = append(all, t.CausedBy.flat()...)
	}
	for _, shard := range t.FailedShards {
		all = append(all, shard.Reason.flat()...)
	}
	return all
}

func responseError(status int, body []byte) error {
	var answer struct {
		Error errorTree `json:"error"`
	}
	e := &ResponseError{Status: status}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Type == "" {
		e.Type = http.StatusText(status)
		e.Reason = strings.Join(strings.Fields(string(body[:min(len(body), 200)])), " ")
		return e
	}
	cause := answer.Error.errorReason
	switch { // the outer one says only "all shards failed"
	case len(answer.Error.RootCause) > 0:
		cause = answer.Error.RootCause[0].errorReason
	case answer.Error.CausedBy != nil:
		cause = answer.Error.CausedBy.errorReason
	}
	e.Type, e.Reason, e.all = cause.Type, cause.Reason, answer.Error.flat()
	return e
}
