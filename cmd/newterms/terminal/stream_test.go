package terminal

import (
	"errors"
	"testing"
)

// heldUp is a reader that does not read until it is let go.
type heldUp struct {
	letGo chan struct{}
	read  chan string
}

func (h heldUp) Write(text []byte) (int, error) {
	<-h.letGo
	h.read <- string(text)
	return len(text), nil
}

// TestWriteThatIsGivenUp prints later what it was given, whatever its caller has
// made of that since.
func TestWriteThatIsGivenUp(t *testing.T) {
	reader := heldUp{make(chan struct{}), make(chan string, 2)}
	ended := make(chan struct{})
	close(ended)
	w := NewStream("stdout", reader).Until(ended)
	text := []byte("an alert")
	var unread *UnreadError
	if _, err := w.Write(text); !errors.As(err, &unread) || unread.Stream != "stdout" {
		t.Fatalf("got %v", err)
	}
	copy(text, "xxxxxxxx")
	close(reader.letGo)
	if got := <-reader.read; got != "an alert" {
		t.Errorf("printed %q", got)
	}
}
