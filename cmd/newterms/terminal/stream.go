package terminal

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

// writeGrace is how long a write may wait once its run has ended. A live reader takes
// milliseconds, and a run has 5 s in all to end.
const writeGrace = 500 * time.Millisecond

// A Token is held by one task at a time. While nobody holds it, it is in the channel.
type Token chan struct{}

// NewToken returns a Token that nobody holds.
func NewToken() Token {
	t := make(Token, 1)
	t.release()
	return t
}

func (t Token) release() { t <- struct{}{} }

// waitFor waits for a value until ended is closed, and then for more. It reports
// whether the value came.
func waitFor(value, ended <-chan struct{}, more time.Duration) bool {
	select {
	case <-value: // even if ended is closed
		return true
	default:
	}
	select {
	case <-value:
		return true
	case <-ended:
	}
	select {
	case <-value:
		return true
	case <-time.After(more):
		return false
	}
}

// A Stream is stdout or stderr. Nothing ends a write to it whose reader does not read,
// but its caller can go on.
type Stream struct {
	name  string
	to    io.Writer
	token Token       // held by the current writer
	stuck atomic.Bool // a write was given up, and may still hold the token
}

// NewStream returns a Stream with a name for errors.
func NewStream(name string, to io.Writer) *Stream {
	return &Stream{name: name, to: to, token: NewToken()}
}

// An UnreadError reports that a write was given up, because nobody read while the run
// lasted.
type UnreadError struct{ Stream string }

func (e *UnreadError) Error() string { return "nobody reads " + e.Stream }

// Until returns a writer that gives up writes soon after ended is closed, with an
// *UnreadError. A write that was given up may still happen later, as a whole.
func (s *Stream) Until(ended <-chan struct{}) io.Writer { return streamUntil{s, ended} }

type streamUntil struct {
	*Stream
	ended <-chan struct{}
}

func (w streamUntil) underlying() io.Writer { return w.to }

func (w streamUntil) Write(text []byte) (n int, err error) {
	more := writeGrace
	if w.stuck.Load() {
		more = 0 // another write has waited for this reader
	}
	if !waitFor(w.token, w.ended, more) {
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
		w.token.release()
	}()
	if !waitFor(written, w.ended, writeGrace) {
		w.stuck.Store(true)
		return 0, &UnreadError{w.name}
	}
	return did.n, did.err
}
