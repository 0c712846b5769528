package stages

import "time"

// A Reading counts the events that the first stage read, by the values of each field. They
// include those of other pairs than were asked about. It estimates how many events an
// earlier stage would read.
type Reading struct {
	length time.Duration
	events []map[any]int64 // of each field
}

// NewReading returns the Reading of a stage of a length.
func NewReading(length time.Duration, fields int) Reading {
	r := Reading{length: length}
	for range fields {
		r.events = append(r.events, map[any]int64{})
	}
	return r
}

// Add adds the events of a pair, whose terms have the order of the fields.
func (r Reading) Add(terms []any, events int64) {
	for i, term := range terms {
		r.events[i][term] += events
	}
}

// Expect returns how many events a stage of a length would read, if it searched for the
// values of pairs; 0 if there is no reading yet.
func (r Reading) Expect(length time.Duration, pairs [][]any) float64 {
	fewest := int64(-1)
	for i, events := range r.events {
		sum, seen := int64(0), map[any]bool{}
		for _, terms := range pairs {
			if term := terms[i]; !seen[term] {
				seen[term] = true
				sum += events[term]
			}
		}
		if fewest < 0 || sum < fewest {
			fewest = sum
		}
	}
	if fewest <= 0 {
		return 0
	}
	return float64(fewest) * length.Hours() / r.length.Hours()
}
