package compare_test

import (
	"slices"
	"time"

	"newterms/job/compare"
)

// populateSpan makes the pairs of a time in which Kibana's rule did something else.
func (f *fortnightCase) populateSpan(s span) {
	switch s.kind {
	case "begin", "disabled":
		f.disabled(s)
	case "outage":
		f.outage(s)
	case "failed":
		f.failed(s, compare.FailedRun)
	case "partial":
		f.partial(s)
	case "page":
		f.page(s)
	case "capped":
		f.capped(s)
	case "edit":
		f.edited(s)
	}
}

// disabled has pairs that no run of Kibana looked for, one of them at the very
// beginning of the first window, which does not count.
func (f *fortnightCase) disabled(s span) {
	first := f.slotTime(s.past).Add(-f.lookback)
	last := f.start.Add(f.interval)
	if s.kind == "disabled" {
		last = f.slotTime(s.first - 1)
	}
	for range 1 + f.random.IntN(3) {
		p := f.newPair("outside")
		at := f.between(last.Add(2*time.Minute), first.Add(-2*time.Minute))
		f.see(p, at)
		if f.chance(3) && f.slotTime(s.past+2).Sub(at) < f.history {
			f.see(p, f.between(f.slotTime(s.past), f.slotTime(s.past+1))) // which is then not the first
		}
		f.expect(compare.OnlyNewterms, p, at, compare.Outside)
	}
	p := f.newPair("from_edge")
	f.see(p, first)
	f.expect(compare.OnlyNewterms, p, first, compare.FromEdge)
	f.see(f.newPair("after the edge of from"), first.Add(time.Millisecond))
	f.see(f.newPair("after the beginning"), f.between(first, f.slotTime(s.past)))
}

// outage has pairs of the time that Kibana's rule did not make up for.
func (f *fortnightCase) outage(s span) {
	e := f.run(s.past)
	f.see(f.newPair("before the outage"), f.between(f.slotTime(s.first-2), f.slotTime(s.first-1).Add(-10*time.Second)))
	for _, w := range e.windows {
		f.see(f.newPair("caught up"), f.between(w.from, w.to.Add(-10*time.Second)))
	}
	if e.gap == (window{}) {
		return
	}
	var pairs []pair
	var times []time.Time
	for range 2 + f.random.IntN(3) {
		p := f.newPair("gap")
		at := f.between(e.gap.from.Add(2*time.Minute), e.gap.to.Add(-2*time.Minute))
		f.see(p, at)
		class := compare.Gap
		switch f.random.IntN(4) {
		case 0, 1:
			latest, earliest := f.slotTime(s.past+2), e.gap.to.Add(time.Minute)
			if limit := at.Add(f.history - 2*f.interval); limit.Before(latest) {
				latest = limit
			}
			if latest.After(earliest.Add(time.Second)) {
				class = compare.GapShadow
				f.pairs[p] = "gap_shadow"
				f.see(p, f.between(earliest, latest))
			}
		case 2:
			if again := at.Add(f.history + f.share(f.history, 0.01, 0.1)); f.ordinaryAt(again) {
				f.pairs[p] = "gap, and alerted later"
				f.see(p, again)
			}
		}
		f.expect(compare.OnlyNewterms, p, at, class)
		pairs, times = append(pairs, p), append(times, at)
	}
	if f.chance(3) {
		f.fill(e, pairs, times)
	}
}

// ordinaryAt reports whether both sides run as usual at a time.
func (f *fortnightCase) ordinaryAt(t time.Time) bool {
	slot := int(t.Sub(f.start) / f.interval)
	s, _ := f.spanOf(slot)
	return s.kind == "" && t.Before(f.end().Add(-day)) && !f.oursBlocked(span{"", slot - 1, slot + 2})
}

// fill runs a gap by hand, long after our job has alerted its pairs.
func (f *fortnightCase) fill(e *execution, pairs []pair, times []time.Time) {
	at := f.until(f.covering(e.at)).Add(40*time.Hour + f.share(10*time.Hour, 0, 1))
	if at.After(f.end()) || f.hidden(e.gap.from.Add(-f.interval), e.gap.to.Add(f.interval)) {
		return
	}
	e.filled = true
	for to := e.gap.from.Add(f.interval); ; to = to.Add(f.interval) {
		at = at.Add(20 * time.Second)
		f.byHand(at, to)
		if !to.Before(e.gap.to) {
			break
		}
	}
	for i, p := range pairs { // then it only came late
		f.pairs[p] = "gap filled by hand"
		f.truths = slices.DeleteFunc(f.truths, func(t truth) bool { return t.pair == p && t.at.Equal(times[i]) })
	}
}

// failed has pairs of which only failed runs could have found the first, and one
// that the next run still found.
func (f *fortnightCase) failed(s span, class compare.Class) {
	from, to := f.slotTime(s.first-1), f.slotTime(s.past).Add(-f.lookback)
	for range 1 + f.random.IntN(3) {
		p := f.newPair("failed_run")
		at := f.between(from, to)
		f.see(p, at)
		if f.chance(3) {
			f.see(p, f.between(f.slotTime(s.past), f.slotTime(s.past+1)))
		}
		f.expect(compare.OnlyNewterms, p, at, class)
	}
	f.see(f.newPair("after a failed run"), f.between(to, f.slotTime(s.past-1).Add(-10*time.Second)))
}

// partial has pairs whose history is on the shard that failed.
func (f *fortnightCase) partial(s span) {
	if f.esql { // the run fails then
		f.failed(s, compare.FailedRun)
		return
	}
	from, to := f.solo(s.first)
	for range 1 + f.random.IntN(3) {
		p := f.newPair("partial_search")
		at := f.between(from, to)
		for _, seen := range f.know(p, f.between(f.slotTime(s.first).Add(-f.history+3*time.Second), at.Add(-f.share(f.history, 0.1, 0.4)))) {
			seen.shard = 1
		}
		f.see(p, at)
		f.expect(compare.OnlyKibana, p, at, compare.PartialSearch)
		f.know(f.newPair("history on another shard"), at)
		f.see(f.newPair("new in a partial search"), f.between(from, to))
	}
}

// capped has more pairs than one run alerts, and some that the next one finds.
func (f *fortnightCase) capped(s span) {
	from, to := f.solo(s.first)
	var pairs []pair
	var times []time.Time
	for range f.maxSignals + 2 + f.random.IntN(5) {
		p := f.newPair("max_signals")
		at := f.between(from, to)
		f.see(p, at)
		pairs, times = append(pairs, p), append(times, at)
	}
	from, to = f.shared(s.first)
	f.see(f.newPair("found by the next run"), f.between(from, to))
	f.settle = append(f.settle, func(alerts map[pair][]*kibanaAlert) {
		for i, p := range pairs {
			if len(alerts[p]) == 0 {
				f.expect(compare.OnlyNewterms, p, times[i], compare.MaxSignals)
			}
		}
	})
}

// page has pairs of which a run alerted some before an error.
func (f *fortnightCase) page(s span) {
	if f.run(s.first).outcome == "" {
		return
	}
	from, to := f.solo(s.first)
	var pairs []pair
	var times []time.Time
	for range 4 + f.random.IntN(3) {
		p := f.newPair("failed_run after some alerts")
		at := f.between(from, to)
		f.see(p, at)
		pairs, times = append(pairs, p), append(times, at)
	}
	f.settle = append(f.settle, func(alerts map[pair][]*kibanaAlert) {
		for i, p := range pairs {
			if len(alerts[p]) == 0 {
				f.expect(compare.OnlyNewterms, p, times[i], compare.FailedRun)
			}
		}
	})
}

// edited has pairs that only one of two queries finds.
func (f *fortnightCase) edited(s span) {
	within := func() time.Time { return f.between(f.slotTime(s.first), f.slotTime(s.past-2)) }
	for range 1 + f.random.IntN(2) {
		p := f.newPair("rule_edited")
		at := within()
		f.see(p, at).action = "sso"
		f.expect(compare.OnlyNewterms, p, at, compare.RuleEdited)
		p = f.newPair("rule_edited")
		at = within()
		f.see(p, at).action = "mfa"
		f.expect(compare.OnlyKibana, p, at, compare.RuleEdited)
		f.see(f.newPair("of both queries"), within())
	}
}

// populateOurs makes the pairs of a run of ours that did something else.
func (f *fortnightCase) populateOurs(i int, r ourRun) {
	class := map[string]compare.Class{"failed": compare.OursFailed, "gap": compare.OursFailed, "absent": compare.Outside, "edited": compare.RuleEdited}[r.state]
	from, to := r.last.Add(time.Minute), f.until(r).Add(-f.overlap-time.Minute)
	if i == 0 {
		from = f.start.Add(2 * f.interval)
	}
	for range 1 + f.random.IntN(3) {
		if !from.Before(to) {
			return
		}
		at := f.between(from, to)
		s, _ := f.spanOf(int(at.Sub(f.start) / f.interval))
		if next, _ := f.spanOf(int(at.Sub(f.start)/f.interval) + 1); s.kind != "" || next.kind != "" {
			continue
		}
		p := f.newPair("of our " + r.state + " run")
		if seen := f.see(p, at); r.state == "edited" {
			seen.network = "Old Net"
		}
		f.expect(compare.OnlyKibana, p, at, class)
	}
}
