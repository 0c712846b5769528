package esquery

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

// stages decides how much of the history is asked at once. Pairs that are seen often
// cost most to look up in all of it, and are found in its last hours.
type stages struct {
	// Of the pairs asked about so far, how many were expected in the stage, and how
	// many were found: new pairs have no events, whatever they have in the window.
	expected, found float64
}

// ends are where a stage may end, before the end of the history.
func (stages) ends() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{time.Hour, 6 * time.Hour, day, 4 * day, 16 * day, 64 * day, 256 * day}
}

// rate is how often a pair is expected, in events an hour: those of its window, over
// that and the history in which it was not found. A pair is a candidate because it has
// an event, which makes the rates of short windows too high: an hour more corrects
// that.
func rate(c Candidate, window, asked time.Duration) float64 {
	return float64(c.Events) / (window + asked + time.Hour).Hours()
}

// next returns up to where to ask next, counted back from the end of the history, of
// which asked is done: the whole, or an end that makes it cheaper.
func (s stages) next(candidates []Candidate, left []int, window, asked, whole time.Duration) time.Duration {
	known := s.known()
	best, cheapest := whole, s.atOnce(candidates, left, window, asked, whole)
	for _, end := range s.ends() {
		if end <= asked || end >= whole {
			continue
		}
		stage, rest := (end - asked).Hours(), (whole - end).Hours()
		cost := 2.0 * requestCost
		for _, i := range left {
			r := rate(candidates[i], window, asked)
			missed := math.Exp(-r * stage) // the chance that a known pair is not seen in the stage
			unseen := 1 - known + known*missed
			cost += valueCost*(1+unseen) + known*r*(stage+rest*missed)
		}
		if cost < cheapest {
			best, cheapest = end, cost
		}
	}
	return best
}

func (s stages) atOnce(candidates []Candidate, left []int, window, asked, whole time.Duration) float64 {
	cost, known := float64(requestCost), s.known()
	for _, i := range left {
		cost += valueCost + known*rate(candidates[i], window, asked)*(whole-asked).Hours()
	}
	return cost
}

// known is the share of pairs that have a history at all, as far as that was learned.
func (s stages) known() float64 {
	const doubt = 10 // pairs
	return min(1, (s.found+doubt)/(s.expected+doubt))
}

// learn takes what a stage found of what was expected.
func (s *stages) learn(candidates []Candidate, left []int, window, asked, until time.Duration, found int) {
	for _, i := range left {
		s.expected += 1 - math.Exp(-rate(candidates[i], window, asked)*(until-asked).Hours())
	}
	s.found += float64(found)
}
