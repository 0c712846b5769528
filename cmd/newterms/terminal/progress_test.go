package terminal

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer is written to by the progress and by a command.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *lockedBuffer) wait(t *testing.T, text string) {
	t.Helper()
	for range 30_000 {
		if strings.Contains(b.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("there is no %q in %q", text, b.String())
}

// TestProgressOnTerminal shows a line, writes beside it, and leaves nothing of it.
func TestProgressOnTerminal(t *testing.T) {
	var screen lockedBuffer
	p := NewProgress(&screen)
	p.onTerminal, p.every, p.began = true, 5*time.Millisecond, time.Now().Add(-lineDelay)
	done := p.During(func(time.Duration) string { return "run: 7 pairs" }, nil)
	screen.wait(t, "7 pairs")
	before := len(screen.String())
	fmt.Fprintln(besideWriter{p, true, &screen}, "a warning")
	besideWriter := screen.String()[before:]
	if at := strings.Index(besideWriter, "a warning\n"); at < 1 || !strings.HasSuffix(strings.TrimRight(besideWriter[:at], " "), "\r") {
		t.Errorf("the line was not cleared before the warning: %q", besideWriter)
	}
	done()
	lines := strings.Split(screen.String(), "\r")
	if last := lines[len(lines)-2:]; last[1] != "" || strings.TrimSpace(last[0]) != "" {
		t.Errorf("the line stays: %q", last)
	}
}

// TestProgressInLog tells of it in the log where there is no terminal.
func TestProgressInLog(t *testing.T) {
	var log lockedBuffer
	p := NewProgress(&log)
	p.every = 5 * time.Millisecond
	done := p.During(func(spent time.Duration) string { return fmt.Sprint(spent > 0) }, func(text string) { fmt.Fprintln(&log, text) })
	log.wait(t, "true\n")
	done()
	told := log.String()
	time.Sleep(20 * time.Millisecond)
	if told != log.String() {
		t.Error("it goes on")
	}
}
