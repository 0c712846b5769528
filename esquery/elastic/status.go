package elastic

import "errors"

// HasStatus reports whether an error is or wraps an answer with an HTTP status, or has
// a StatusCode method that returns it.
func HasStatus(err error, status int) bool {
	var refused interface{ StatusCode() int }
	return errors.As(err, &refused) && refused.StatusCode() == status
}

// HasCause reports whether Elasticsearch names a type of error as a cause.
func HasCause(err error, kind string) bool {
	var cause interface{ Has(types ...string) bool }
	return errors.As(err, &cause) && cause.Has(kind)
}

// IsMissing reports whether an error says that an index does not exist.
func IsMissing(err error) bool { return HasCause(err, "index_not_found_exception") }
