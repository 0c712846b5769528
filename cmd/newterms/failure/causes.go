package failure

import (
	"errors"
)

// Causes returns the errors that errors.Join joined.
func Causes(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(joined.Unwrap()...).Error() != err.Error() {
		return []error{err} // fmt.Errorf with several %w is one error
	}
	var all []error
	for _, cause := range joined.Unwrap() {
		all = append(all, Causes(cause)...)
	}
	return all
}
