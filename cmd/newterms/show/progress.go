package show

import (
	"fmt"
	"sync"
	"time"

	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/job"
)

// Progress shows the progress of a command's rules. It is safe for concurrent use.
type Progress struct {
	*terminal.Progress

	mu    sync.Mutex
	rules map[string]job.Progress
}

// NewProgress returns the progress of no rule yet.
func NewProgress(p *terminal.Progress) *Progress {
	return &Progress{Progress: p, rules: map[string]job.Progress{}}
}

// Of returns a function that records the progress of a rule.
func (p *Progress) Of(rule string) func(job.Progress) {
	return func(now job.Progress) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.rules[rule] = now
	}
}

// Text returns the progress of the rules, added up if there are several. spent is how
// long the command has run.
func (p *Progress) Text(spent time.Duration) string {
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
