package terminal

import (
	"fmt"
	"testing"
	"time"

	"newterms/cmd/newterms/terminal/ptytest"
)

// TestProgressLine shows a line that is wider than the terminal for a while, beside other
// output. It never wraps, and is gone in the end.
func TestProgressLine(t *testing.T) {
	for _, columns := range []int{20, 60, 80, 120} {
		screen := ptytest.Open(t, columns)
		p := NewProgress(screen.TTY)
		p.every, p.began = time.Millisecond, time.Now().Add(-lineDelay)
		shows, stop := make(chan bool), make(chan bool)
		done := p.During(func(time.Duration) string {
			select {
			case shows <- true:
			case <-stop:
			}
			return "run: part 17 of 31, 10 s, about 8 s left, 312 alerts, 20000 pairs, 2000 pairs a second, and some more of that"
		}, nil)
		for n := range 20 {
			<-shows
			if n%5 == 0 {
				fmt.Fprintln(p.Beside(screen.TTY), "warning", n)
			}
		}
		close(stop)
		done()
		if shown, tooWide := screen.Close(t); shown != "warning 0\nwarning 5\nwarning 10\nwarning 15\n" || tooWide > 0 {
			t.Errorf("%d columns: %d lines were too wide, and in the end there is\n%s", columns, tooWide, shown)
		}
	}
}
