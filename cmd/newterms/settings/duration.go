package settings

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic/words"
	"newterms/job/datemath"
)

// Duration is a time.Duration whose text may have the units d and w.
type Duration time.Duration

func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := datemath.Duration(string(text))
	*d = Duration(parsed)
	return err
}

// WithDeadline returns a context that ends at the deadline of a run.
func (s Settings) WithDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline := time.Duration(s.Deadline); deadline > 0 {
		return context.WithTimeoutCause(ctx, deadline, fmt.Errorf("NEWTERMS_DEADLINE, %s, is over", words.Span(deadline)))
	}
	return context.WithCancel(ctx)
}
