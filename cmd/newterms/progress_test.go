package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"newterms/job"
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

func TestProgressText(t *testing.T) {
	p := newProgress(&lockedBuffer{})
	at := p.began.Add(10 * time.Second)
	if got := p.text(at); got != "10s" {
		t.Errorf("at first: %q", got)
	}
	p.of("A")(job.Progress{Part: 1, Parts: 1, Candidates: 1})
	if got := p.text(at); got != "10s, 1 pair, 0 alerts, 0 pairs a second" {
		t.Errorf("one part: %q", got)
	}
	p.of("A")(job.Progress{Part: 3, Parts: 5, Candidates: 20_000, Alerts: 312})
	if got := p.text(at); got != "part 3 of 5, 10s, 20000 pairs, 312 alerts, 2000 pairs a second, about 15s left" {
		t.Errorf("the third of five parts: %q", got)
	}
}

// TestProgressOnTerminal shows a line, writes beside it, and leaves nothing of it.
func TestProgressOnTerminal(t *testing.T) {
	var screen lockedBuffer
	p := newProgress(&screen)
	p.onTerminal, p.every, p.began = true, 5*time.Millisecond, time.Now().Add(-beforeLine)
	done := p.during("run")
	p.of("A")(job.Progress{Part: 1, Parts: 1, Candidates: 7})
	screen.wait(t, "7 pairs")
	before := len(screen.String())
	fmt.Fprintln(besides{p, true, &screen}, "a warning")
	beside := screen.String()[before:]
	if at := strings.Index(beside, "a warning\n"); at < 1 || !strings.HasSuffix(strings.TrimRight(beside[:at], " "), "\r") {
		t.Errorf("the line was not cleared before the warning: %q", beside)
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
	p := newProgress(&log)
	p.every, p.log = 5*time.Millisecond, newLogger(settings{}, &log)
	done := p.during("run")
	log.wait(t, `"message":"run: 0s"`)
	done()
	told := log.String()
	time.Sleep(20 * time.Millisecond)
	if told != log.String() {
		t.Error("it goes on")
	}
}
