package main

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// maxKept is how much a rule may have to say, in bytes, before it must have the
// floor to say more. It bounds the memory of rules that run at once.
const maxKept = 1 << 20

// A speaker is a rule that prints while others run. What it says is kept until
// it is done and then printed in one piece, so that the lines of two rules never
// mix. One that has much to say waits for the floor, and keeps it until it is
// done. It is for one goroutine.
type speaker struct {
	floor       *sync.Mutex // of all speakers
	has         bool        // the floor
	out, errors *keeping    // stdout and stderr
}

func newSpeaker(floor *sync.Mutex, stdout, stderr io.Writer) *speaker {
	s := &speaker{floor: floor}
	s.out, s.errors = &keeping{speaker: s, to: stdout}, &keeping{speaker: s, to: stderr}
	return s
}

// takeFloor prints what was kept; from now on everything is printed at once.
func (s *speaker) takeFloor() error {
	if s.has {
		return nil
	}
	s.floor.Lock()
	s.has = true
	return errors.Join(s.errors.flush(), s.out.flush())
}

func (s *speaker) done() error {
	err := s.takeFloor()
	s.floor.Unlock()
	return err
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
