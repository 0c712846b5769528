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

	"newterms/esquery/elastic/words"
)

// ErrIncomplete is wrapped by every error about an answer that cannot be trusted:
// failed shards, a timeout, a skipped cluster, no shard at all, or JSON that is not
// Elasticsearch's.
var ErrIncomplete = errors.New("incomplete answer")

// ErrNoShards reports an answer from no shard. It wraps ErrIncomplete.
var ErrNoShards = fmt.Errorf("%w: no shard was searched: the indices are gone, or this user may not read them", ErrIncomplete)

// ErrOtherProduct reports an answer that is not from Elasticsearch. It wraps
// ErrIncomplete.
var ErrOtherProduct = fmt.Errorf("%w: it does not come from Elasticsearch", ErrIncomplete)

// errNoJSON reports an answer that cannot be parsed.
var errNoJSON = fmt.Errorf("%w: it is not the JSON that was expected", ErrIncomplete)

// NoJSON reports whether an answer could not be parsed: it was spoiled on its way, or
// holds a document that is no JSON.
func NoJSON(err error) bool { return errors.Is(err, errNoJSON) }

// errPart reports an answer without some shards or clusters.
var errPart = fmt.Errorf("%w", ErrIncomplete)

// ShardFailed reports whether shards failed at a search while others like it may
// succeed: at a document that they cannot read, or for a reason of their own.
func ShardFailed(err error) bool {
	if refused, ok := errors.AsType[*ResponseError](err); ok {
		return len(refused.FailedShards) > 0 && (refused.Status == http.StatusInternalServerError || refused.Status == http.StatusBadRequest)
	}
	return errors.Is(err, errPart)
}

// errTooLarge reports an answer over maxAnswer.
var errTooLarge = fmt.Errorf("the answer is larger than %d MB", maxAnswer>>20)

// A NoAnswerError says why no attempt got an answer: a *TimeoutError, a
// *tls.CertificateVerificationError, a *SchemeError or an error of the network.
type NoAnswerError struct{ Err error }

func (e *NoAnswerError) Error() string { return "no answer from Elasticsearch: " + e.Err.Error() }
func (e *NoAnswerError) Unwrap() error { return e.Err }

// A TimeoutError reports that the last attempt took longer than Options.Timeout.
type TimeoutError struct{ After time.Duration }

func (e *TimeoutError) Error() string { return "nothing came within " + words.Span(e.After) }

// A VersionError reports a server of an unsupported version.
type VersionError struct{ Version string } // "" if it is not known

func (e *VersionError) Error() string {
	return strings.TrimSpace("Elasticsearch "+e.Version) + " is not supported: newterms needs 8.13 or later, or 9.x"
}

// A ResponseError is an answer with an HTTP error status.
type ResponseError struct {
	Status int
	// Cause is the server's error. If the body is not Elasticsearch's JSON, Type is
	// the status as text and Reason the beginning of the body.
	Cause
}

func (e *ResponseError) Error() string { return fmt.Sprintf("%d %s", e.Status, e.Cause) }

// StatusCode returns the HTTP status.
func (e *ResponseError) StatusCode() int { return e.Status }

// responseError decodes an error. With security, Elasticsearch reports wrong names as
// forbidden: "unauthorized", caused by "no such remote cluster". In that case no
// privilege is missing.
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

// A Cause is an error in Elasticsearch's JSON, with its causes.
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

// String returns "type: reason" of the outermost error that says more than that there
// was one.
func (c Cause) String() string {
	if c.Type == "x_content_parse_exception" && c.CausedBy != nil { // it only says where in the JSON
		return c.CausedBy.String()
	}
	named := c
	for cause := range c.All() {
		if !slices.Contains([]string{"", "search_phase_execution_exception", "uncategorized_execution_exception"}, cause.Type) {
			named = cause
			break
		}
	}
	return strings.Trim(named.Type+": "+named.Reason, ": ")
}

// All yields the error and all its causes, from the outside.
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

// Has reports whether the error or one of its causes has one of the types.
func (c Cause) Has(types ...string) bool {
	for cause := range c.All() {
		if slices.Contains(types, cause.Type) {
			return true
		}
	}
	return false
}

// Says reports whether the reason of the error or one of its causes contains a text.
func (c Cause) Says(text string) bool {
	for cause := range c.All() {
		if strings.Contains(cause.Reason, text) {
			return true
		}
	}
	return false
}
