package failure

import (
	"errors"
)

// Causes takes errors apart that errors.Join put together.
func Causes(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(joined.Unwrap()...).Error() != err.Error() {
		return []error{err} // fmt.Errorf with several %w has one story to tell
	}
	var all []error
	for _, cause := range joined.Unwrap() {
		all = append(all, Causes(cause)...)
	}
	return all
}
