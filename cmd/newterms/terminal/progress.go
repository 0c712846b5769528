package terminal

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// When progress is shown: on a terminal after 2 s, since people wait that long without
// a sign; in a log every 30 s, often enough to see that the command is alive.
const (
	lineDelay    = 2 * time.Second
	lineInterval = 200 * time.Millisecond
	logInterval  = 30 * time.Second
)

// Progress shows the progress of a command: on a terminal in a line that disappears at
// the end, elsewhere in a log. It is safe for concurrent use.
type Progress struct {
	stderr     io.Writer
	onTerminal bool
	every      time.Duration
	began      time.Time

	mu    sync.Mutex
	shown bool
}

// NewProgress returns the Progress of a command that begins now.
func NewProgress(stderr io.Writer) *Progress {
	p := &Progress{stderr: stderr, every: logInterval, began: time.Now()}
	if _, p.onTerminal = Width(stderr); p.onTerminal {
		p.every = lineInterval
	}
	return p
}

// Beside returns a writer to the same terminal. It clears the progress line before it
// writes; the line comes back below.
func (p *Progress) Beside(w io.Writer) io.Writer {
	_, onTerminal := Width(w)
	return besideWriter{p, onTerminal, w}
}

type besideWriter struct {
	progress   *Progress
	onTerminal bool
	io.Writer
}

func (b besideWriter) underlying() io.Writer { return b.Writer }

func (b besideWriter) Write(text []byte) (int, error) {
	b.progress.mu.Lock()
	if b.progress.shown {
		b.progress.line("")
	}
	if b.onTerminal {
		defer b.progress.mu.Unlock()
	} else {
		b.progress.mu.Unlock() // a pipe that nobody reads must hold up nothing else
	}
	return b.Writer.Write(text)
}

// During shows text again and again until done is called. text receives the time since
// the command began. Without a terminal, log receives the text.
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
				case spent > lineDelay:
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
	p.shown = true
	p.line(text)
}

// line replaces what is in the terminal's line. It leaves the last column empty, because
// some terminals then go to the next line. An error only leaves the line as it is.
func (p *Progress) line(text string) {
	columns, ok := Width(p.stderr) // now: a window may have been made narrower
	if !ok {
		columns = 80
	}
	text = shorten(Escape(text), columns-1)
	_, _ = io.WriteString(p.stderr, "\r"+text+strings.Repeat(" ", max(0, columns-1-widthOf(text)))+"\r")
}

// shorten cuts a text after the last of its parts, between commas, that fits.
func shorten(line string, columns int) string {
	for widthOf(line) > columns {
		at := strings.LastIndex(line, ", ")
		if at < 0 {
			return text.Trim(line, columns)
		}
		line = line[:at]
	}
	return line
}

func (p *Progress) hide() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.line("")
		p.shown = false
	}
}
