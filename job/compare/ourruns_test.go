package compare_test

import "time"

// An ourRun is a run of our job.
type ourRun struct {
	phase int
	// last is where it takes the runs before to have ended.
	last time.Time
	// state is "", failed, absent, gap (absent, and the next one tells of the gap) or
	// edited (with an exclusion that the rule has no more).
	state string
}

func (f *fortnightCase) phaseTime(n int) time.Time {
	return f.start.Add(time.Duration(n)*phase + 11*time.Minute + 417*time.Millisecond)
}

func (f *fortnightCase) until(r ourRun) time.Time { return f.phaseTime(r.phase) }

// planOurs chooses when our job runs, and what happens to it.
func (f *fortnightCase) planOurs() {
	last := f.start
	for n := 0; n < phases; {
		n = min(phases, n+2+f.random.IntN(3))
		f.ours = append(f.ours, ourRun{phase: n, last: last})
		last = f.phaseTime(n)
	}
	if f.chance(3) {
		f.ours[0].state = "edited"
	}
	for _, state := range []string{"failed", "absent", "gap"} {
		if i := 2 + f.random.IntN(len(f.ours)-4); f.chance(2) && f.ours[i-1].state == "" && f.ours[i+1].state == "" {
			f.ours[i].state = state
		}
	}
}

// oursBlocked reports whether something happens to our runs around a span.
func (f *fortnightCase) oursBlocked(s span) bool {
	from, to := f.slotTime(s.first-margin), f.slotTime(s.past+margin)
	for _, r := range f.ours {
		if r.state != "" && from.Before(f.until(r).Add(f.overlap)) && to.After(r.last.Add(-f.overlap)) {
			return true
		}
	}
	return false
}

// covering returns the first run of ours whose window ends after a time.
func (f *fortnightCase) covering(t time.Time) ourRun {
	for _, r := range f.ours {
		if f.until(r).After(t) {
			return r
		}
	}
	panic("no run covers " + t.String())
}
