package elastic

import (
	"errors"
	"slices"
	"strings"
)

// HasStatus reports whether an error is or wraps an answer with an HTTP status, or has
// a StatusCode method that returns it.
func HasStatus(err error, status int) bool {
	var refused interface{ StatusCode() int }
	return errors.As(err, &refused) && refused.StatusCode() == status
}

// HasCause reports whether Elasticsearch names one of some types of errors as a cause.
func HasCause(err error, types ...string) bool {
	var cause interface{ Has(types ...string) bool }
	return errors.As(err, &cause) && cause.Has(types...)
}

// Says reports whether the reason of a cause contains one of some texts, for errors that
// have no type of their own.
func Says(err error, texts ...string) bool {
	refused, ok := errors.AsType[*ResponseError](err)
	return ok && slices.ContainsFunc(texts, refused.Says)
}

// HasNoHandler reports whether the server lacks the API: the security API if security
// is off, or that of a missing module.
func HasNoHandler(err error) bool {
	refused, ok := errors.AsType[*ResponseError](err)
	return ok && (strings.Contains(refused.Reason, "no handler found for uri") || strings.Contains(refused.Reason, "Incorrect HTTP method for uri"))
}

// IsMissing reports whether an error says that an index does not exist.
func IsMissing(err error) bool { return HasCause(err, "index_not_found_exception") }
