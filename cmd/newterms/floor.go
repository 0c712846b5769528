package main

import (
	"bytes"
	"errors"
	"io"
)

// maxKept is how much a rule may have to say, in bytes, before it must have the
// floor to say more. It bounds the memory of rules that run at once.
const maxKept = 1 << 20

// A speaker is a rule that prints while others run. What it says is kept and then
// printed in one piece, its stdout before the end of its run is recorded and its
// stderr when it is done, so that the lines of two rules never mix. One that has
// much to say waits for the floor, and keeps it until it is done. It is for one
// goroutine.
type speaker struct {
	floor       turn // of all speakers
	ended       <-chan struct{}
	has         bool     // the floor
	out, errors *keeping // stdout and stderr
}

// newSpeaker makes one that waits for the floor until ended is closed, as the
// streams wait for their readers.
func newSpeaker(floor turn, ended <-chan struct{}, stdout, stderr io.Writer) *speaker {
	s := &speaker{floor: floor, ended: ended}
	s.out, s.errors = &keeping{speaker: s, to: stdout}, &keeping{speaker: s, to: stderr}
	return s
}

// takeFloor prints what was kept; from now on everything is printed at once.
func (s *speaker) takeFloor() error {
	if s.has {
		return nil
	}
	if !comes(s.floor, s.ended, lastWords) {
		return errNoFloor
	}
	s.has = true
	_ = s.errors.flush() // as of every line of a log, there is nobody to tell of its error
	return s.out.flush()
}

var errNoFloor = errors.New("another rule prints, and nobody reads it")

// print prints what was kept of stdout.
func (s *speaker) print() error {
	if s.has || s.out.kept.Len() == 0 {
		return nil
	}
	if !comes(s.floor, s.ended, lastWords) {
		return errNoFloor
	}
	defer s.floor.giveBack()
	return s.out.flush()
}

// done prints what was kept of stderr. If it has to, it goes without the floor.
func (s *speaker) done() {
	s.has = s.has || comes(s.floor, s.ended, 0)
	_ = s.errors.flush()
	if s.has {
		s.floor.giveBack()
	}
}

// keeping is one of a speaker's two streams.
type keeping struct {
	speaker *speaker
	to      io.Writer
	kept    bytes.Buffer
}

func (k *keeping) Write(text []byte) (int, error) {
	if k.speaker.has {
		return k.to.Write(text)
	}
	k.kept.Write(text)
	if k.kept.Len() > maxKept {
		return len(text), k.speaker.takeFloor()
	}
	return len(text), nil
}

func (k *keeping) beneath() io.Writer { return k.to }

func (k *keeping) flush() error {
	if k.kept.Len() == 0 {
		return nil
	}
	_, err := k.to.Write(k.kept.Bytes())
	k.kept = bytes.Buffer{}
	return err
}
