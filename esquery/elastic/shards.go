package elastic

import (
	"fmt"
	"sync"
)

// ErrFewerShards is an answer from fewer shards than one before: an index was
// closed, deleted, or taken from what this user may read. It wraps ErrIncomplete.
// Elasticsearch passes over such an index without a word.
var ErrFewerShards = fmt.Errorf("%w: fewer shards than before", ErrIncomplete)

// Shards knows how many shards the answers to some searches came from. It is safe
// for concurrent use; its zero value knows of none.
type Shards struct {
	mu     sync.Mutex
	number int
}

// Number is that of the last answer, 0 before the first.
func (s *Shards) Number() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number
}

// see takes the number of an answer. Shards that it did not search because they
// cannot match are among them.
func (s *Shards) see(number int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < s.number {
		return fmt.Errorf("%w: %d, after %d", ErrFewerShards, number, s.number)
	}
	s.number = number
	return nil
}
