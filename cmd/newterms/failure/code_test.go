package failure

import (
	"errors"
	"fmt"
	"testing"

	"newterms/esquery/elastic"
	"newterms/job/rule"
)

// TestExitCodeOfSeveralCauses lets a retry that may help decide, wherever it
// stands: a bad rule must not stop the retries for all.
func TestExitCodeOfSeveralCauses(t *testing.T) {
	busy := fmt.Errorf("search: %w", &elastic.ResponseError{Status: 503})
	forbidden := &elastic.ResponseError{Status: 403}
	badRule := &rule.Error{Path: "a.toml", Err: errors.New("no query")}
	for _, c := range []struct {
		causes []error
		want   int
	}{
		{nil, ExitDone}, {[]error{badRule}, ExitRule}, {[]error{busy}, ExitFailed}, {[]error{forbidden}, ExitUnauthorized},
		{[]error{badRule, busy}, ExitFailed}, {[]error{busy, badRule}, ExitFailed}, {[]error{badRule, forbidden, busy}, ExitFailed},
		{[]error{badRule, forbidden}, ExitRule}, {[]error{nil, forbidden, nil}, ExitUnauthorized},
	} {
		if got := Code(errors.Join(c.causes...)); got != c.want {
			t.Errorf("%v: %d, want %d", c.causes, got, c.want)
		}
	}
}
