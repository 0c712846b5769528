package terminal

import (
	"bytes"
	"errors"
	"io"
)

// maxKept is how much a task may print, in bytes, before it must hold the token to
// print more. It bounds the memory of tasks that run at once.
const maxKept = 1 << 20

// An Output is what a task prints while others run. It is kept and then printed in
// one piece, stdout at Print and stderr at Close, so that the lines of two tasks
// never mix. One that prints much waits for the token of all, and holds it until it
// is closed. It is for one goroutine.
type Output struct {
	Stdout, Stderr io.Writer

	token       Token
	ended       <-chan struct{}
	holds       bool // the token
	out, errors *kept
}

// NewOutput returns one that waits for the token until ended is closed, as streams
// wait for their readers.
func NewOutput(token Token, ended <-chan struct{}, stdout, stderr io.Writer) *Output {
	o := &Output{token: token, ended: ended}
	o.out, o.errors = &kept{output: o, to: stdout}, &kept{output: o, to: stderr}
	o.Stdout, o.Stderr = o.out, o.errors
	return o
}

// hold prints what was kept; from now on everything is printed at once.
func (o *Output) hold() error {
	if o.holds {
		return nil
	}
	if !comes(o.token, o.ended, lastWords) {
		return errNoToken
	}
	o.holds = true
	_ = o.errors.flush() // as of every line of a log, there is nobody to tell of its error
	return o.out.flush()
}

var errNoToken = errors.New("another rule prints, and nobody reads it")

// Print prints what was kept of stdout.
func (o *Output) Print() error {
	if o.holds || o.out.text.Len() == 0 {
		return nil
	}
	if !comes(o.token, o.ended, lastWords) {
		return errNoToken
	}
	defer o.token.giveBack()
	return o.out.flush()
}

// Close prints what was kept of stderr. If it has to, it does so without the token.
func (o *Output) Close() {
	o.holds = o.holds || comes(o.token, o.ended, 0)
	_ = o.errors.flush()
	if o.holds {
		o.token.giveBack()
	}
}

// kept is one of an output's two streams.
type kept struct {
	output *Output
	to     io.Writer
	text   bytes.Buffer
}

func (k *kept) Write(text []byte) (int, error) {
	if k.output.holds {
		return k.to.Write(text)
	}
	k.text.Write(text)
	if k.text.Len() > maxKept {
		return len(text), k.output.hold()
	}
	return len(text), nil
}

func (k *kept) beneath() io.Writer { return k.to }

func (k *kept) flush() error {
	if k.text.Len() == 0 {
		return nil
	}
	_, err := k.to.Write(k.text.Bytes())
	k.text = bytes.Buffer{}
	return err
}
