package main

import (
	"fmt"
	"sync"
	"time"

	"newterms/cmd/newterms/terminal"
	"newterms/job"
	"newterms/words"
)

// progress shows the progress of a command's rules. It is safe for concurrent use.
type progress struct {
	*terminal.Progress

	mu    sync.Mutex
	rules map[string]job.Progress
}

func newProgress(p *terminal.Progress) *progress {
	return &progress{Progress: p, rules: map[string]job.Progress{}}
}

// during shows the progress while a command runs, until done is called.
func (p program) during(command string) (done func()) {
	text := func(spent time.Duration) string { return command + ": " + p.progress.text(spent) }
	return p.progress.During(text, func(text string) { p.log.Info(text) })
}

// of returns a function that records the progress of a rule.
func (p *progress) of(rule string) func(job.Progress) {
	return func(now job.Progress) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.rules[rule] = now
	}
}

// text returns the progress of the rules, added up if there are several.
func (p *progress) text(spent time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sum job.Progress
	for _, one := range p.rules {
		sum.Part, sum.Parts = sum.Part+one.Part, sum.Parts+one.Parts
		sum.Candidates, sum.Alerts = sum.Candidates+one.Candidates, sum.Alerts+one.Alerts
	}
	text := words.Span(spent.Round(time.Second))
	if sum.Parts > 1 {
		text = fmt.Sprintf("part %d of %d, %s", sum.Part, sum.Parts, text)
	}
	if done := sum.Part - len(p.rules); done > 0 {
		left := spent / time.Duration(done) * time.Duration(sum.Parts-done)
		text += fmt.Sprintf(", about %s left", words.Span(left.Round(time.Second)))
	}
	if sum.Candidates > 0 { // last: a narrow terminal shows the first parts only
		text += fmt.Sprintf(", %s, %s, %.0f pairs a second", words.Plural(sum.Alerts, "alert", "alerts"), words.Plural(sum.Candidates, "pair", "pairs"),
			float64(sum.Candidates)/spent.Seconds())
	}
	return text
}
