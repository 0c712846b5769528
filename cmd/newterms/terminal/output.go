package terminal

import (
	"bytes"
	"errors"
	"io"
)

// maxBuffered is how many bytes a task may buffer before it must hold the token to
// print more. It bounds the memory of concurrent tasks.
const maxBuffered = 1 << 20

// An Output buffers what one task prints while others run. Print writes stdout and
// Close writes stderr, each in one piece, so that the lines of two tasks never mix. A
// task that prints much waits for the token that all share, and holds it until Close.
// An Output is for one goroutine.
type Output struct {
	Stdout, Stderr io.Writer

	token       Token
	ended       <-chan struct{}
	hasToken    bool // the token
	out, errors *buffer
}

// NewOutput returns an Output that waits for the token until ended is closed, as
// streams wait for their readers.
func NewOutput(token Token, ended <-chan struct{}, stdout, stderr io.Writer) *Output {
	o := &Output{token: token, ended: ended}
	o.out, o.errors = &buffer{output: o, to: stdout}, &buffer{output: o, to: stderr}
	o.Stdout, o.Stderr = o.out, o.errors
	return o
}

// acquire takes the token and prints the buffers. From then on everything is printed at
// once.
func (o *Output) acquire() error {
	if o.hasToken {
		return nil
	}
	if !waitFor(o.token, o.ended, writeGrace) {
		return errNoToken
	}
	o.hasToken = true
	_ = o.errors.flush() // as for every line of a log, its error has no reader
	return o.out.flush()
}

var errNoToken = errors.New("another rule prints, and nobody reads it")

// Print prints the buffered stdout.
func (o *Output) Print() error {
	if o.hasToken || o.out.text.Len() == 0 {
		return nil
	}
	if !waitFor(o.token, o.ended, writeGrace) {
		return errNoToken
	}
	defer o.token.release()
	return o.out.flush()
}

// Close prints the buffered stderr, without the token if it must.
func (o *Output) Close() {
	o.hasToken = o.hasToken || waitFor(o.token, o.ended, 0)
	_ = o.errors.flush()
	if o.hasToken {
		o.token.release()
	}
}

// A buffer is one of an Output's two streams.
type buffer struct {
	output *Output
	to     io.Writer
	text   bytes.Buffer
}

func (k *buffer) Write(text []byte) (int, error) {
	if k.output.hasToken {
		return k.to.Write(text)
	}
	k.text.Write(text)
	if k.text.Len() > maxBuffered {
		return len(text), k.output.acquire()
	}
	return len(text), nil
}

func (k *buffer) underlying() io.Writer { return k.to }

func (k *buffer) flush() error {
	if k.text.Len() == 0 {
		return nil
	}
	_, err := k.to.Write(k.text.Bytes())
	k.text = bytes.Buffer{}
	return err
}
