// Package ptytest makes terminals for tests, and reads what they would show.
package ptytest

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/sys/unix"
)

// A Terminal is a pseudo-terminal.
type Terminal struct {
	TTY *os.File // what a program writes to
	// Links are those of the texts that the terminal shows, after Close.
	Links   []Link
	columns int
	shown   chan string
}

// Open opens a terminal of a width.
func Open(tb testing.TB, columns int) *Terminal {
	tb.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		tb.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)})
	}
	t := &Terminal{columns: columns, shown: make(chan string, 1)}
	if err == nil {
		t.TTY, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		tb.Fatal(err)
	}
	go func() {
		all, _ := io.ReadAll(screen) // ends with EIO, once nobody has the TTY open
		screen.Close()
		t.shown <- string(all)
	}()
	return t
}

// A Link is a text with the address that it leads to (OSC 8).
type Link struct{ Text, Address string }

var (
	colours  = regexp.MustCompile(`\x1b\[[\d;]*m`)
	links    = regexp.MustCompile(`(?s)\x1b]8;;([^\x1b]+)\x1b\\(.*?)\x1b]8;;\x1b\\`)
	linkEnds = regexp.MustCompile(`\x1b]8;;[^\x1b]*\x1b\\`)
)

// Close returns the lines that the terminal shows in the end, and how often a line was
// too wide for it. Nothing else may have the TTY open.
func (t *Terminal) Close(tb testing.TB) (shown string, tooWide int) {
	tb.Helper()
	if err := t.TTY.Close(); err != nil {
		tb.Fatal(err)
	}
	written := colours.ReplaceAllString(<-t.shown, "")
	for _, link := range links.FindAllStringSubmatch(written, -1) {
		t.Links = append(t.Links, Link{Text: link[2], Address: link[1]})
	}
	lines, at := [][]rune{nil}, 0
	for _, r := range linkEnds.ReplaceAllString(written, "") {
		switch line := &lines[len(lines)-1]; r {
		case '\r':
			at = 0
		case '\n':
			lines = append(lines, nil)
		default:
			if at++; at > len(*line) {
				*line = append(*line, r)
			}
			(*line)[at-1] = r
			if text.StringWidth(string((*line)[:at])) > t.columns {
				lines, at, tooWide = append(lines, nil), 0, tooWide+1
			}
		}
	}
	var all []string
	for _, line := range lines {
		all = append(all, strings.TrimRight(string(line), " "))
	}
	return strings.Join(all, "\n"), tooWide
}
