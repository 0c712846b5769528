// Package stages decides how much of the history to search at once.
package stages

import (
	"math"
	"time"
)

// What a question for the history costs, in units of the events that it reads. A
// request took 4 ms beside what it found, a value in it 4 µs, and an event 1.8 µs
// (31,356 events of 117 pairs in 57 ms; 505 pairs in 41 ms at once and 26 in two).
const (
	requestCost = 2_000
	valueCost   = 2
)

// Stages decides how much of the history is asked at once. The zero value knows
// nothing. Pairs that are seen often
// cost most to look up in all of it, and are found in its last hours. How often a pair
// was seen is estimated from its events in the window. Stages learns from page to page
// where that is wrong: new pairs have no history, and daily jobs none in the last hours.
// A day of 10⁶ pairs that were seen once, days ago, took three requests for each page
// before it did, and one since.
type Stages struct {
	segments [len(ends{}) + 1]segment // up to each end, and what is older
}

// A segment holds what was learned about pairs not seen after it: how many were expected
// in it, how many were found, and how many more events than one the found ones were
// expected to have and had.
type segment struct{ expected, found, moreExpected, more float64 }

// A Sighting is when a pair was last seen in a part of the history, and in how many
// events. The zero value stands for never.
type Sighting struct {
	At     time.Time
	Events int64
}

// ends are where a stage may end, before the end of the history.
type ends [7]time.Duration

func stageEnds() ends {
	const day = 24 * time.Hour
	return ends{time.Hour, 6 * time.Hour, day, 4 * day, 16 * day, 64 * day, 256 * day}
}

// A piece is what a stage can include of a segment. Its times are counted back from the
// end of the history.
type piece struct {
	segment  int
	from, to time.Duration
}

// pieces cuts a part of the history at the ends of the segments.
func pieces(from, to time.Duration) []piece {
	var all []piece
	ends := stageEnds()
	for i, end := range ends {
		if end = min(end, to); from < end {
			all = append(all, piece{i, from, end})
			from = end
		}
	}
	if from < to {
		all = append(all, piece{len(ends), from, to})
	}
	return all
}

func (p piece) hours() float64 { return (p.to - p.from).Hours() }

// chance returns the probability that a pair with a number of events an hour has one in
// the piece.
func (p piece) chance(rate float64) float64 { return 1 - math.Exp(-rate*p.hours()) }

// rate is how often a pair with a number of events in its window is expected, in events an hour: those of its window, over
// that and the history in which it was not found. A pair is a candidate because it has
// an event, which makes the rates of short windows too high: an hour more corrects
// that.
func rate(events int64, window, asked time.Duration) float64 {
	return float64(events) / (window + asked + time.Hour).Hours()
}

// Next returns up to where to ask next about pairs with these numbers of events in the
// window, counted back from the end of the history, of
// which asked is done: the whole, or an end that makes it cheaper.
func (s Stages) Next(left []int64, window, asked, whole time.Duration) time.Duration {
	pieces := pieces(asked, whole)
	found := make([]struct{ pairs, rates float64 }, len(pieces)) // expected in each piece, and not after it
	scales := s.scales()
	for _, events := range left {
		r, missed := rate(events, window, asked), 1.0
		for k, p := range pieces {
			chance := missed * min(1, scales[p.segment]*p.chance(r))
			missed -= chance
			found[k].pairs += chance
			found[k].rates += chance * r
		}
	}
	// read is what it costs to read, in one stage that ends with a piece, the events of the pairs
	// that are found in a range of pieces.
	read := func(first, last, end int) (cost float64) {
		for k := first; k <= last; k++ {
			cost += found[k].pairs + found[k].rates*s.volume(pieces[k].segment)*(pieces[end].to-pieces[k].from).Hours()
		}
		return cost
	}
	end, unseen := len(pieces)-1, float64(len(left))
	best, cheapest := whole, requestCost+valueCost*unseen+read(0, end, end)
	for k, p := range pieces[:end] {
		unseen -= found[k].pairs
		cost := 2*requestCost + valueCost*(float64(len(left))+unseen) + read(0, k, k) + read(k+1, end, end)
		if cost < cheapest {
			best, cheapest = p.to, cost
		}
	}
	return best
}

const doubt = 10 // pairs, by which an estimate outweighs what was learned

// scales returns for each segment by how much more often pairs were found in it than
// expected. Without pairs to learn from it is that of all segments.
func (s *Stages) scales() (scales [len(ends{}) + 1]float64) {
	var all segment
	for _, segment := range s.segments {
		all.expected += segment.expected
		all.found += segment.found
	}
	known := min(1, (all.found+doubt)/(all.expected+doubt))
	for i, segment := range s.segments {
		scales[i] = (segment.found + doubt*known) / (segment.expected + doubt)
	}
	return scales
}

// volume is by how much more events pairs had than expected, of those found in a segment.
func (s *Stages) volume(of int) float64 {
	return (s.segments[of].more + doubt) / (s.segments[of].moreExpected + doubt)
}

// Learn takes what a stage from asked to until, counted back from the end of the history,
// found of those left, in their order.
func (s *Stages) Learn(left []int64, window, asked, until time.Duration, end time.Time, found []Sighting) {
	pieces := pieces(asked, until)
	for i, events := range left {
		for _, p := range pieces {
			segment := &s.segments[p.segment]
			segment.expected += p.chance(rate(events, window, p.from))
			if !found[i].At.IsZero() && end.Sub(found[i].At) <= p.to {
				segment.found++
				segment.moreExpected += rate(events, window, asked) * (until - p.from).Hours()
				segment.more += float64(found[i].Events - 1)
				break
			}
		}
	}
}
