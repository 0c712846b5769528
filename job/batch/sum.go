package batch

import (
	"sync"
	"time"

	"newterms/alerts/runs"
)

// A Sum adds up the results of a run's rules.
type Sum struct {
	Ran, Failed    int
	Unusable       int // could not be loaded
	NotBegun       int
	Written        int64 // alerts
	Requests       int
	Took, Duration time.Duration // by Elasticsearch, and by the clock

	mu sync.Mutex
}

// Add adds the run of a rule. It is safe for concurrent use.
func (s *Sum) Add(run runs.Run, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Ran++
	if err != nil {
		s.Failed++
	}
	s.Written += run.Counts.Written
	s.Requests += run.Requests
	s.Took += run.Took
}
