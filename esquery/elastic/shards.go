package elastic

import (
	"fmt"
	"sync"
)

// ErrFewerShards reports an answer from fewer shards than one before: an index was
// closed, deleted, or made unreadable to this user. It wraps ErrIncomplete.
// Elasticsearch silently ignores such an index.
var ErrFewerShards = fmt.Errorf("%w: fewer shards than before", ErrIncomplete)

// Shards holds the number of shards that answered some searches. It is safe for
// concurrent use; its zero value has none.
type Shards struct {
	mu     sync.Mutex
	number int
}

// Number returns that of the last answer, 0 before the first.
func (s *Shards) Number() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number
}

// see records the number of an answer. It includes shards that were skipped because
// they cannot match.
func (s *Shards) see(number int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < s.number {
		return fmt.Errorf("%w: %d, after %d", ErrFewerShards, number, s.number)
	}
	s.number = number
	return nil
}
