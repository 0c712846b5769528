package batch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"newterms/job/rule"
)

func TestRulesThatAreNotBegunAreNamed(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	b := &Batch{rules: []rule.Rule{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	var begun []string
	n, err := b.Run(ctx, 1, func(_ context.Context, r rule.Rule) {
		begun = append(begun, r.Name)
		stop(errors.New("NEWTERMS_DEADLINE=4m0s is over"))
	})
	if want := "NEWTERMS_DEADLINE=4m0s is over: not started; first in the next run: b, c"; n != 2 || err == nil || err.Error() != want || !slices.Equal(begun, []string{"a"}) {
		t.Errorf("%v were begun, %d not, %v, want %s", begun, n, err, want)
	}
}

// TestSharesLeaveTimeToTheLast lets two of three rules run at once: the third has
// to wait for them, and so each of the first has half of the time.
func TestSharesLeaveTimeToTheLast(t *testing.T) {
	const whole = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), whole)
	defer cancel()
	end, _ := ctx.Deadline()
	b := &Batch{rules: []rule.Rule{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	for _, left := range []time.Duration{whole / 2, 0, 0} { // at least, after it
		_, ctx, cancel, ok := b.next(ctx, 2)
		defer cancel()
		if until, limited := ctx.Deadline(); !ok || !limited || end.Sub(until) < left-time.Minute {
			t.Errorf("one until %s leaves %s, want %s", until, end.Sub(until), left)
		}
	}
}
