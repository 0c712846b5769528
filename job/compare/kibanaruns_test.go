package compare_test

import (
	"fmt"
	"time"
)

// A window is what a run of Kibana searches: from is outside, to is inside.
type window struct{ from, to time.Time }

func (w window) covers(t time.Time) bool { return t.After(w.from) && !t.After(w.to) }

// An execution is a run of Kibana's rule.
type execution struct {
	slot     int // of the schedule; -1 for a manual run
	at       time.Time
	uuid     string
	windows  []window // the oldest first
	outcome  string   // "", failed, timeout, partial, page (its last candidates are lost)
	revision int
	gap      window // what the catch-up left out; zero if nothing
	gapLost  bool   // there is no document of it
	filled   bool   // somebody has run the gap by hand
	drift    time.Duration
	// backfilled is the beginning of what a manual run was to fill; zero for others.
	backfilled time.Time
	truncated  bool
	written    int
}

func (e *execution) manual() bool { return !e.backfilled.IsZero() }

// A span is a series of slots of Kibana's schedule in which something happens. The
// slots around it, as far as margin, are of use for it alone.
type span struct {
	kind        string
	first, past int
}

const margin = 3

// slotTime is when a run would start if nothing kept it.
func (f *fortnightCase) slotTime(slot int) time.Time {
	return f.start.Add(time.Duration(slot)*f.interval + time.Duration(slot*slot*7919%2900)*time.Millisecond)
}

func (f *fortnightCase) slots() int { return int((fortnight + 12*time.Hour) / f.interval) }

// planKibana chooses what happens to Kibana's rule, and makes its runs.
func (f *fortnightCase) planKibana() {
	kinds := []string{"outage", "disabled", "edit", "failed", "capped", "partial", "page"}
	if f.chance(3) {
		kinds = append(kinds, "outage", "failed")
	}
	f.random.Shuffle(len(kinds), func(a, b int) { kinds[a], kinds[b] = kinds[b], kinds[a] })
	slot := int(day/f.interval) + f.random.IntN(5)
	if f.chance(4) && !f.oursBlocked(span{"", 0, slot}) {
		f.spans = append(f.spans, span{"begin", 0, slot})
		slot += 2 * margin
	}
	for _, kind := range kinds {
		length := map[string]int{"outage": 8 + f.random.IntN(14), "disabled": 6 + f.random.IntN(10), "edit": 6 + f.random.IntN(8), "failed": 1 + f.random.IntN(2), "capped": 1, "partial": 1, "page": 1}[kind]
		s := span{kind, slot, slot + length}
		if f.chance(3) || kind == "capped" && f.suppress || s.past+3*margin > f.slots()-int(day/f.interval) || f.oursBlocked(s) {
			slot++
			continue
		}
		f.spans = append(f.spans, s)
		slot = s.past + 2*margin + f.random.IntN(int(12*time.Hour/f.interval))
	}
	f.makeRuns()
}

// spanOf returns what a slot is part of, be it as a margin.
func (f *fortnightCase) spanOf(slot int) (s span, inside bool) {
	for _, s := range f.spans {
		if slot >= s.first-margin && slot < s.past+margin {
			return s, slot >= s.first && slot < s.past
		}
	}
	return span{}, false
}

func (f *fortnightCase) makeRuns() {
	revision, bump := 1, -9
	if s, _ := f.spanOf(f.slots() / 2); s.kind == "" && f.chance(3) {
		bump = f.slots() / 2 // an edit of something that does not matter
	}
	var last *execution
	for slot := -2; slot < f.slots(); slot++ {
		s, inside := f.spanOf(slot)
		if s.kind == "begin" && slot < s.past || inside && (s.kind == "outage" || s.kind == "disabled") {
			if s.kind != "outage" {
				last = nil // who enables a rule starts anew
			}
			continue
		}
		if s.kind == "edit" && (slot == s.first || slot == s.past) {
			revision++
		}
		e := &execution{slot: slot, at: f.slotTime(slot), uuid: f.uuid(), revision: revision, drift: time.Duration(f.random.IntN(40)) * time.Millisecond}
		if inside && s.kind == "failed" {
			e.outcome = []string{"failed", "timeout"}[f.random.IntN(2)]
		}
		if inside && s.kind == "page" && !f.single && !f.esql {
			e.outcome = "page"
		}
		if slot == bump {
			revision++
		}
		e.revision = revision
		if inside && s.kind == "partial" {
			e.outcome = "partial"
			if f.esql {
				e.outcome = "failed"
			}
		}
		f.cover(e, last)
		f.runs = append(f.runs, e)
		last = e
	}
}

// cover sets the windows of a run: its own, and up to four before it that make up
// for the time since the last.
func (f *fortnightCase) cover(e, last *execution) {
	own := window{e.at.Add(-f.lookback), e.at}
	e.windows = []window{own}
	if last == nil || e.at.Sub(last.at) <= f.lookback {
		return
	}
	missing := e.at.Sub(last.at) - f.lookback
	for n := 1; n <= 4 && missing > 0; n++ {
		back := -time.Duration(n) * f.interval
		e.windows = append([]window{{own.from.Add(back), own.to.Add(back)}}, e.windows...)
		missing -= f.interval
	}
	if missing > 0 {
		e.gap = window{last.at, e.windows[0].from}
	}
}

func (f *fortnightCase) uuid() string {
	a, b := f.random.Uint64(), f.random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-9%03x-%012x", uint32(a), uint16(a>>32), uint16(a>>48)&0xfff, uint16(b)&0xfff, b>>16)
}

// run returns the run of a slot, or nil.
func (f *fortnightCase) run(slot int) *execution {
	for _, e := range f.runs {
		if e.slot == slot && !e.manual() {
			return e
		}
	}
	return nil
}

// solo is the time that only the run of a slot searches, in an ordinary schedule.
func (f *fortnightCase) solo(slot int) (from, to time.Time) {
	return f.slotTime(slot - 1), f.slotTime(slot + 1).Add(-f.lookback)
}

// shared is the time that the run of a slot and the next one search, without its
// last seconds, of which the former sees nothing.
func (f *fortnightCase) shared(slot int) (from, to time.Time) {
	return f.slotTime(slot + 1).Add(-f.lookback), f.slotTime(slot).Add(-10 * time.Second)
}

// plain returns a slot around which nothing happens on either side.
func (f *fortnightCase) plain(suits func(slot int) bool) (int, bool) {
	for range 60 {
		slot := int(12*time.Hour/f.interval) + f.random.IntN(int((fortnight-36*time.Hour)/f.interval))
		if s, _ := f.spanOf(slot); s.kind != "" || f.used[slot] >= 3 || f.oursBlocked(span{"", slot - 1, slot + 2}) {
			continue
		}
		if suits == nil || suits(slot) {
			f.used[slot]++
			return slot, true
		}
	}
	return 0, false
}
