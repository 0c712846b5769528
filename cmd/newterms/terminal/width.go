package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Width returns the width in columns; ok is false if w does not write to a terminal.
func Width(w io.Writer) (width int, ok bool) {
	for {
		above, ok := w.(interface{ underlying() io.Writer })
		if !ok {
			break
		}
		w = above.underlying()
	}
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil
}

// WidthOfText returns the Width, or 120 for mail, tickets and logs.
func WidthOfText(w io.Writer) int {
	if width, ok := Width(w); ok {
		return width
	}
	return 120
}
