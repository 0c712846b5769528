package elastic

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ErrIncomplete is wrapped by every error about an answer that arrived and
// cannot be trusted: failed shards, a timeout, a skipped cluster, no shard at
// all, something that is not Elasticsearch's JSON.
var ErrIncomplete = errors.New("incomplete answer")

// ErrNoShards is an answer from nowhere. It wraps ErrIncomplete.
var ErrNoShards = fmt.Errorf("%w: no shard was searched: the indices are gone, or this user may not read them", ErrIncomplete)

// ErrOtherProduct is an answer of something that is not Elasticsearch. It wraps
// ErrIncomplete.
var ErrOtherProduct = fmt.Errorf("%w: it does not come from Elasticsearch", ErrIncomplete)

// errNoJSON is an answer that cannot be read.
var errNoJSON = fmt.Errorf("%w: it is not the JSON that was expected", ErrIncomplete)

// NoJSON reports whether an answer came that cannot be read: something on the way
// has spoiled it, or it holds a document that is no JSON.
func NoJSON(err error) bool { return errors.Is(err, errNoJSON) }

// errPart is an answer in which the part of some shards or clusters is missing.
var errPart = fmt.Errorf("%w", ErrIncomplete)

// ShardFailed reports whether shards failed at a search that others of its kind may
// get through: at a document that they cannot read, or for a reason of their own.
func ShardFailed(err error) bool {
	var refused *ResponseError
	if errors.As(err, &refused) {
		return len(refused.FailedShards) > 0 && (refused.Status == http.StatusInternalServerError || refused.Status == http.StatusBadRequest)
	}
	return errors.Is(err, errPart)
}

// errTooLarge is an answer over maxAnswer.
var errTooLarge = fmt.Errorf("the answer is larger than %d MB", maxAnswer>>20)

// A NoAnswerError says why no attempt brought an answer: a *TimeoutError, a
// *tls.CertificateVerificationError, a *SchemeError or an error of the network.
type NoAnswerError struct{ Err error }

func (e *NoAnswerError) Error() string { return "no answer from Elasticsearch: " + e.Err.Error() }
func (e *NoAnswerError) Unwrap() error { return e.Err }

// A TimeoutError says that the last attempt took longer than Options.Timeout.
type TimeoutError struct{ After time.Duration }

func (e *TimeoutError) Error() string { return fmt.Sprintf("nothing came within %s", e.After) }

// A VersionError says that the server is of a version that is not supported.
type VersionError struct{ Version string } // "" if it does not say

func (e *VersionError) Error() string {
	return strings.TrimSpace("Elasticsearch "+e.Version) + " is not supported: newterms needs 8.13 or later, or 9.x"
}

// A ResponseError is an answer with an HTTP error status.
type ResponseError struct {
	Status int
	// Cause is what the server says of it. Where that is not Elasticsearch's
	// JSON, Type is the status as text and Reason the beginning of the body.
	Cause
}

func (e *ResponseError) Error() string { return fmt.Sprintf("%d %s", e.Status, e.Cause) }

// StatusCode is the HTTP status.
func (e *ResponseError) StatusCode() int { return e.Status }

// HasNoHandler reports that the server has no such API: the security API where
// security is off, or one of a module that it lacks.
func (e *ResponseError) HasNoHandler() bool {
	return strings.Contains(e.Reason, "no handler found for uri") || strings.Contains(e.Reason, "Incorrect HTTP method for uri")
}

// responseError reads an answer. With security, Elasticsearch answers that something
// is forbidden also where names are wrong: "unauthorized", caused by "no such remote
// cluster". It is no right that is missing then.
func responseError(status int, body []byte) *ResponseError {
	var answer struct {
		Error Cause `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Type == "" {
		text := strings.Join(strings.Fields(string(body[:min(len(body), 200)])), " ")
		return &ResponseError{status, Cause{Type: http.StatusText(status), Reason: text}}
	}
	if cause := answer.Error.CausedBy; status == http.StatusForbidden && cause != nil && cause.Type != answer.Error.Type {
		return &ResponseError{http.StatusBadRequest, *cause}
	}
	return &ResponseError{status, answer.Error}
}

// A Cause is an error as Elasticsearch's JSON tells it, with what caused it.
type Cause struct {
	Type         string  `json:"type"` // Elasticsearch's name for the error
	Reason       string  `json:"reason"`
	RootCause    []Cause `json:"root_cause"`
	CausedBy     *Cause  `json:"caused_by"`
	FailedShards []struct {
		Index  string `json:"index"`
		Reason Cause  `json:"reason"`
	} `json:"failed_shards"`
}

// String is "type: reason" of the first error, from the outside, that says more
// than that there was one.
func (c Cause) String() string {
	if c.Type == "x_content_parse_exception" && c.CausedBy != nil { // it only says where in the JSON
		return c.CausedBy.String()
	}
	told := c
	for cause := range c.All() {
		if !slices.Contains([]string{"", "search_phase_execution_exception", "uncategorized_execution_exception"}, cause.Type) {
			told = cause
			break
		}
	}
	return strings.Trim(told.Type+": "+told.Reason, ": ")
}

// All yields the error and all that caused it, from the outside.
func (c Cause) All() iter.Seq[Cause] {
	return func(yield func(Cause) bool) { c.each(yield) }
}

func (c Cause) each(yield func(Cause) bool) bool {
	if !yield(c) {
		return false
	}
	causes := slices.Clone(c.RootCause)
	if c.CausedBy != nil {
		causes = append(causes, *c.CausedBy)
	}
	for _, shard := range c.FailedShards {
		causes = append(causes, shard.Reason)
	}
	for _, cause := range causes {
		if !cause.each(yield) {
			return false
		}
	}
	return true
}

// Has reports whether the error or one that caused it has one of the types.
func (c Cause) Has(types ...string) bool {
	for cause := range c.All() {
		if slices.Contains(types, cause.Type) {
			return true
		}
	}
	return false
}

// Says reports whether the error or one that caused it has a text in its reason.
func (c Cause) Says(text string) bool {
	for cause := range c.All() {
		if strings.Contains(cause.Reason, text) {
			return true
		}
	}
	return false
}
