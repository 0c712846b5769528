package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"newterms/job"
	"newterms/job/words"
)

// When progress is told of: on a terminal once a command takes longer than people
// wait without a sign, and in a log often enough to see that it is alive.
const (
	beforeLine  = 2 * time.Second
	betweenLine = 200 * time.Millisecond
	betweenLog  = 30 * time.Second
)

// progress tells how far a command is: on a terminal on a line that is gone when
// the command is done, elsewhere in the log. It is safe for concurrent use.
type progress struct {
	stderr     io.Writer
	onTerminal bool
	every      time.Duration
	log        *slog.Logger
	began      time.Time

	mu    sync.Mutex
	bar   *progressbar.ProgressBar // nil while nothing is shown
	rules map[string]job.Progress
}

func newProgress(stderr io.Writer) *progress {
	p := &progress{stderr: stderr, every: betweenLog, began: time.Now(), rules: map[string]job.Progress{}}
	if _, p.onTerminal = terminalWidth(stderr); p.onTerminal {
		p.every = betweenLine
	}
	return p
}

// beside returns a writer to the same terminal. What it writes takes the place of
// the line, which comes back below it.
func (p *progress) beside(w io.Writer) io.Writer {
	_, onTerminal := terminalWidth(w)
	return besides{p, onTerminal, w}
}

type besides struct {
	progress   *progress
	onTerminal bool
	io.Writer
}

func (b besides) beneath() io.Writer { return b.Writer }

func (b besides) Write(text []byte) (int, error) {
	b.progress.mu.Lock()
	if b.progress.bar != nil {
		_ = b.progress.bar.Clear() // a line that stays is no reason to lose what is written
	}
	if b.onTerminal {
		defer b.progress.mu.Unlock()
	} else {
		b.progress.mu.Unlock() // a pipe that nobody reads must hold up nothing else
	}
	return b.Writer.Write(text)
}

// of takes how far a rule is.
func (p *progress) of(rule string) func(job.Progress) {
	return func(now job.Progress) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.rules[rule] = now
	}
}

// during tells what is being done, until the function that it returns is called.
func (p *progress) during(what string) (done func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(p.every)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				p.hide()
				return
			case now := <-tick.C:
				switch {
				case !p.onTerminal:
					p.log.Info(what + ": " + p.text(now))
				case now.Sub(p.began) > beforeLine:
					p.show(what + ": " + p.text(now))
				}
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

func (p *progress) show(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(p.stderr), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionSpinnerType(14))
	}
	p.bar.Describe(visible(text))
}

func (p *progress) hide() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish() // it is for people, who see that it stays
		p.bar = nil
	}
}

// text says how far the rules are, together if there are several.
func (p *progress) text(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sum job.Progress
	for _, one := range p.rules {
		sum.Part, sum.Parts = sum.Part+one.Part, sum.Parts+one.Parts
		sum.Candidates, sum.Alerts = sum.Candidates+one.Candidates, sum.Alerts+one.Alerts
	}
	spent := now.Sub(p.began)
	text := spent.Round(time.Second).String()
	if sum.Parts > 1 {
		text = fmt.Sprintf("part %d of %d, %s", sum.Part, sum.Parts, text)
	}
	if sum.Candidates > 0 {
		text += fmt.Sprintf(", %s, %s, %.0f pairs a second", words.Plural(sum.Candidates, "pair", "pairs"), words.Plural(sum.Alerts, "alert", "alerts"),
			float64(sum.Candidates)/spent.Seconds())
	}
	if done := sum.Part - len(p.rules); done > 0 {
		left := spent / time.Duration(done) * time.Duration(sum.Parts-done)
		text += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	return text
}
