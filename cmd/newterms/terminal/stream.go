package terminal

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

// lastWords is how long a write may wait once its run has ended. A reader that
// reads takes milliseconds, and a run has 5 s in all to end.
const lastWords = 500 * time.Millisecond

// A Token is what one at a time may hold: the channel holds it while nobody does.
type Token chan struct{}

// NewToken returns one that nobody holds.
func NewToken() Token {
	t := make(Token, 1)
	t.giveBack()
	return t
}

func (t Token) giveBack() { t <- struct{}{} }

// comes waits for something until ended is closed, and then a little more. It
// reports whether it came.
func comes(it, ended <-chan struct{}, more time.Duration) bool {
	select {
	case <-it: // whatever has ended
		return true
	default:
	}
	select {
	case <-it:
		return true
	case <-ended:
	}
	select {
	case <-it:
		return true
	case <-time.After(more):
		return false
	}
}

// A Stream is stdout or stderr. Its reader may be one that does not read, and
// nothing ends a write to it then; but whoever writes can go on.
type Stream struct {
	name  string
	to    io.Writer
	token Token       // of whoever writes
	stuck atomic.Bool // a write was given up, and may still hold the token
}

// NewStream returns one with a name for errors.
func NewStream(name string, to io.Writer) *Stream {
	return &Stream{name: name, to: to, token: NewToken()}
}

// An UnreadError says that a write was given up, because nobody read as long as
// the run lasted.
type UnreadError struct{ Stream string }

func (e *UnreadError) Error() string { return "nobody reads " + e.Stream }

// Until returns a writer whose writes are given up soon after ended is closed, with
// an *UnreadError. What was given up may still be written later, as a whole.
func (s *Stream) Until(ended <-chan struct{}) io.Writer { return streamUntil{s, ended} }

type streamUntil struct {
	*Stream
	ended <-chan struct{}
}

func (w streamUntil) beneath() io.Writer { return w.to }

func (w streamUntil) Write(text []byte) (n int, err error) {
	more := lastWords
	if w.stuck.Load() {
		more = 0 // another write has waited for this reader
	}
	if !comes(w.token, w.ended, more) {
		return 0, &UnreadError{w.name}
	}
	w.stuck.Store(false)
	type result struct {
		n   int
		err error
	}
	var did result
	written := make(chan struct{})
	text = bytes.Clone(text) // the caller may use its own again
	go func() {
		did.n, did.err = w.to.Write(text)
		close(written)
		w.token.giveBack()
	}()
	if !comes(written, w.ended, lastWords) {
		w.stuck.Store(true)
		return 0, &UnreadError{w.name}
	}
	return did.n, did.err
}
