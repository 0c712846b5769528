package compare_test

import (
	"time"

	"newterms/job/compare"
)

// populate makes the pairs. Each is at odds with one thing at most. Beside those of
// which one side alone has an alert are others, in the same place, of which both or
// none have one.
func (f *fortnightCase) populate() {
	for _, add := range []func(*fortnightCase){
		ordinary, historyEdge, beforeTheEdge, late, lateButSearched, lateHistory, lateForOurs, otherEvent, tie, earlierTwin, manualFind, severityDiffers,
		absentTerm, arrays, oldCreation, exceptionExpired, exceptionAdded, suppressed,
	} {
		for range 1 + f.random.IntN(3) {
			add(f)
		}
	}
	for _, s := range f.spans {
		f.populateSpan(s)
	}
	for i, r := range f.ours {
		if r.state != "" {
			f.populateOurs(i, r)
		}
	}
}

// ordinary pairs have alerts on both sides, some several times.
func ordinary(f *fortnightCase) {
	if slot, ok := f.plain(nil); ok {
		p := f.newPair("ordinary")
		from, to := f.solo(slot)
		at := f.between(from, to)
		f.see(p, at).unstamped = f.override && f.chance(3)
		if f.chance(2) { // known then, whatever happens to Kibana's rule later
			f.see(p, at.Add(f.share(f.history-2*f.interval, 0.1, 0.95)))
		}
		other := f.newPair("of another query")
		f.see(other, at).action = "reset"
		if f.chance(2) {
			f.know(f.newPair("known"), at)
		}
	}
}

// historyEdge has a sighting that is no history for Kibana, which counts back from
// the end of the window.
func historyEdge(f *fortnightCase) {
	if slot, ok := f.plain(nil); ok {
		p := f.newPair("history_edge")
		from, to := f.solo(slot)
		at := f.between(from, to)
		last := f.between(at.Add(-f.history), f.slotTime(slot).Add(-f.history-3*time.Second))
		if f.chance(5) {
			last = at.Add(-f.history)
		}
		f.know(p, last)
		f.see(p, at)
		f.expect(compare.OnlyKibana, p, at, compare.HistoryEdge)
	}
}

// beforeTheEdge has a last sighting just early or just late enough for both.
func beforeTheEdge(f *fortnightCase) {
	if slot, ok := f.plain(nil); ok {
		from, to := f.solo(slot)
		at := f.between(from, to)
		f.know(f.newPair("before the edge"), at.Add(-f.history-time.Millisecond))
		f.see(f.lastPair(), at)
		f.know(f.newPair("after the edge"), f.slotTime(slot).Add(-f.history+3*time.Second))
		f.see(f.lastPair(), at)
	}
}

// lastPair is the pair of the newest event.
func (f *fortnightCase) lastPair() pair { return f.pairsOf(f.events[len(f.events)-1])[0] }

// late is an event that searches see after the only run of Kibana that covers it.
func late(f *fortnightCase) {
	slot, ok := f.plain(f.beforeOurs)
	if !ok {
		return
	}
	p := f.newPair("late")
	from, to := f.solo(slot)
	at := f.between(from, to)
	ours := f.until(f.covering(at))
	s := f.see(p, at)
	s.visible = f.between(f.slotTime(slot).Add(2*time.Second), ours.Add(-2*time.Second))
	known := !f.override // by event.ingested
	if room := ours.Add(-f.overlap); at.After(room) && f.chance(2) {
		s.visible = f.between(ours.Add(2*time.Second), ours.Add(4*time.Hour)) // our next run finds it
		known = true
	}
	if known {
		f.expect(compare.OnlyNewterms, p, at, compare.Late)
	} else {
		f.expect(compare.OnlyNewterms, p, at, compare.Unexplained)
	}
}

// lateButSearched is an event that the next run of Kibana still covers.
func lateButSearched(f *fortnightCase) {
	if slot, ok := f.plain(f.searchedTwice); ok {
		from, to := f.shared(slot)
		s := f.see(f.newPair("late but searched"), f.between(from, to))
		s.visible = f.between(f.slotTime(slot).Add(2*time.Second), f.slotTime(slot+1).Add(-2*time.Second))
	}
}

// searchedTwice reports whether no run of ours comes between two of Kibana's.
func (f *fortnightCase) searchedTwice(slot int) bool {
	from, _ := f.shared(slot)
	return f.covering(from).phase == f.covering(f.slotTime(slot+1)).phase
}

// lateHistory is an event that Kibana took for the first because an earlier one
// came after its run. Ours came after both.
func lateHistory(f *fortnightCase) {
	slot, ok := f.plain(f.beforeOurs)
	if ok {
		p := f.newPair("late_history")
		from, to := f.solo(slot)
		at := f.between(from, to)
		s := f.bridge(p, at)
		s.visible = f.between(f.slotTime(slot).Add(2*time.Second), f.until(f.covering(at)).Add(-2*time.Second))
		f.expect(compare.OnlyKibana, p, at, compare.LateHistory)
	}
}

// bridge makes a pair known until more than the history before a sighting, and adds
// one event between, which it returns, and the sighting itself.
func (f *fortnightCase) bridge(p pair, at time.Time) *sighting {
	between := at.Add(-f.share(f.history, 0.15, 0.85))
	f.know(p, f.between(between.Add(-f.history), at.Add(-f.history-time.Minute)))
	f.see(p, at)
	return f.see(p, between)
}

// lateForOurs is the reverse: our run came before the earlier event, and Kibana's after.
func lateForOurs(f *fortnightCase) {
	slot, ok := f.plain(func(slot int) bool {
		r := f.covering(f.slotTime(slot - 1))
		_, to := f.solo(slot)
		return f.until(r).After(f.slotTime(slot-1).Add(time.Minute)) && f.until(r).Before(to)
	})
	if ok {
		p := f.newPair("late history of ours")
		ours := f.until(f.covering(f.slotTime(slot - 1)))
		at := f.between(f.slotTime(slot-1), ours.Add(-10*time.Second))
		s := f.bridge(p, at)
		s.visible = f.between(ours.Add(2*time.Second), f.slotTime(slot).Add(-2*time.Second))
		f.expect(compare.OnlyNewterms, p, at, compare.LateHistory)
	}
}

// otherEvent is a pair that both alert, Kibana for its second event: the first came
// too late for it.
func otherEvent(f *fortnightCase) {
	slot, ok := f.plain(f.beforeOurs)
	if ok {
		p := f.newPair("other_event")
		from, to := f.solo(slot)
		at := f.between(from.Add(time.Minute), to)
		first := f.see(p, f.between(from, at.Add(-time.Second)))
		first.visible = f.between(f.slotTime(slot).Add(2*time.Second), f.until(f.covering(at)).Add(-2*time.Second))
		f.see(p, at)
		f.expect(compare.Both, p, first.at, compare.OtherEvent)
	}
}

// beforeOurs reports whether one run of ours covers what the run of a slot searches,
// at least a minute after it.
func (f *fortnightCase) beforeOurs(slot int) bool {
	r := f.covering(f.slotTime(slot))
	return f.until(r).Sub(f.slotTime(slot)) > time.Minute && r.phase == f.covering(f.slotTime(slot-1)).phase
}
