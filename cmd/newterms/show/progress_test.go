package show_test

import (
	"io"
	"testing"
	"time"

	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/terminal"
	"newterms/job"
)

func TestProgressText(t *testing.T) {
	p := show.NewProgress(terminal.NewProgress(io.Discard))
	at := 10 * time.Second
	if got := p.Text(at); got != "10 s" {
		t.Errorf("at first: %q", got)
	}
	p.Of("A")(job.Progress{Part: 1, Parts: 1, Candidates: 1})
	if got := p.Text(at); got != "10 s, 0 alerts, 1 pair, 0 pairs a second" {
		t.Errorf("one part: %q", got)
	}
	p.Of("A")(job.Progress{Part: 3, Parts: 5, Candidates: 20_000, Alerts: 312})
	if got := p.Text(at); got != "part 3 of 5, 10 s, about 15 s left, 312 alerts, 20000 pairs, 2000 pairs a second" {
		t.Errorf("the third of five parts: %q", got)
	}
}
