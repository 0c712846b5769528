package main

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

// lastWords is how long a write may wait once its run has ended. A reader that
// reads takes milliseconds, and a run has 5 s in all to end.
const lastWords = 500 * time.Millisecond

// A turn is what one at a time may have: it holds a token while nobody has it.
type turn chan struct{}

func newTurn() turn {
	t := make(turn, 1)
	t.giveBack()
	return t
}

func (t turn) giveBack() { t <- struct{}{} }

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

// A stream is stdout or stderr. Its reader may be one that does not read, and
// nothing ends a write to it then; but whoever writes can go on.
type stream struct {
	name  string
	to    io.Writer
	turn  turn        // of whoever writes
	stuck atomic.Bool // a write was given up, and may still have the turn
}

func newStream(name string, to io.Writer) *stream {
	return &stream{name: name, to: to, turn: newTurn()}
}

// An unreadError says that a write was given up, because nobody read as long as
// the run lasted.
type unreadError struct{ stream string }

func (e *unreadError) Error() string { return "nobody reads " + e.stream }

// until returns a writer whose writes are given up soon after ended is closed.
// What was given up may still be written later, as a whole.
func (s *stream) until(ended <-chan struct{}) io.Writer { return streamUntil{s, ended} }

type streamUntil struct {
	*stream
	ended <-chan struct{}
}

func (w streamUntil) beneath() io.Writer { return w.to }

func (w streamUntil) Write(text []byte) (n int, err error) {
	more := lastWords
	if w.stuck.Load() {
		more = 0 // another write has waited for this reader
	}
	if !comes(w.turn, w.ended, more) {
		return 0, &unreadError{w.name}
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
		w.turn.giveBack()
	}()
	if !comes(written, w.ended, lastWords) {
		w.stuck.Store(true)
		return 0, &unreadError{w.name}
	}
	return did.n, did.err
}
