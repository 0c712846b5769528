package terminal

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// When progress is shown: on a terminal once a command takes longer than people
// wait without a sign, and in a log often enough to see that it is alive.
const (
	beforeLine  = 2 * time.Second
	betweenLine = 200 * time.Millisecond
	betweenLog  = 30 * time.Second
)

// Progress shows how far a command is: on a terminal on a line that is gone when
// the command is done, elsewhere in a log. It is safe for concurrent use.
type Progress struct {
	stderr     io.Writer
	onTerminal bool
	every      time.Duration
	began      time.Time

	mu  sync.Mutex
	bar *progressbar.ProgressBar // nil while nothing is shown
}

// NewProgress returns one of a command that begins now.
func NewProgress(stderr io.Writer) *Progress {
	p := &Progress{stderr: stderr, every: betweenLog, began: time.Now()}
	if _, p.onTerminal = Width(stderr); p.onTerminal {
		p.every = betweenLine
	}
	return p
}

// Beside returns a writer to the same terminal. What it writes takes the place of
// the line, which comes back below it.
func (p *Progress) Beside(w io.Writer) io.Writer {
	_, onTerminal := Width(w)
	return beside{p, onTerminal, w}
}

type beside struct {
	progress   *Progress
	onTerminal bool
	io.Writer
}

func (b beside) beneath() io.Writer { return b.Writer }

func (b beside) Write(text []byte) (int, error) {
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

// During shows text, which is given the time since the command began, again and
// again until the function that it returns is called. Where there is no terminal,
// log is given it.
func (p *Progress) During(text func(spent time.Duration) string, log func(string)) (done func()) {
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
				switch spent := now.Sub(p.began); {
				case !p.onTerminal:
					log(text(spent))
				case spent > beforeLine:
					p.show(text(spent))
				}
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

func (p *Progress) show(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(p.stderr), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionSpinnerType(14))
	}
	p.bar.Describe(Escape(text))
}

func (p *Progress) hide() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish() // it is for people, who see that it stays
		p.bar = nil
	}
}
