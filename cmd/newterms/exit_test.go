package main

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
		{nil, exitDone}, {[]error{badRule}, exitRule}, {[]error{busy}, exitFailed}, {[]error{forbidden}, exitUnauthorized},
		{[]error{badRule, busy}, exitFailed}, {[]error{busy, badRule}, exitFailed}, {[]error{badRule, forbidden, busy}, exitFailed},
		{[]error{badRule, forbidden}, exitRule}, {[]error{nil, forbidden, nil}, exitUnauthorized},
	} {
		if got := exitCode(errors.Join(c.causes...)); got != c.want {
			t.Errorf("%v: %d, want %d", c.causes, got, c.want)
		}
	}
}
