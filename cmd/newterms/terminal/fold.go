package terminal

import (
	"io"
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Fitting returns a writer that escapes each line that is written to it, and folds
// those that are wider than w's terminal. Elsewhere lines stay whole.
func Fitting(w io.Writer) io.Writer {
	return lineWriter{w, func(line string, columns int) string { return Fold(Escape(line), columns) }}
}

// Folding is Fitting without escapes, for text with colours.
func Folding(w io.Writer) io.Writer { return lineWriter{w, Fold} }

// Escaping is Fitting without folds, for JSON and what is pasted elsewhere.
func Escaping(w io.Writer) io.Writer {
	return lineWriter{w, func(line string, _ int) string { return Escape(line) }}
}

// A lineWriter changes each line, knowing the columns of the terminal; 0 if there is
// none.
type lineWriter struct {
	io.Writer
	change func(line string, columns int) string
}

func (w lineWriter) underlying() io.Writer { return w.Writer }

func (w lineWriter) Write(text []byte) (int, error) {
	columns, _ := Width(w.Writer)
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		lines[i] = w.change(line, columns)
	}
	if _, err := io.WriteString(w.Writer, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Fold breaks a line between words until it fits. The rest hangs below the text that
// follows the last gap of two spaces in the first half of the line, such as that between
// a label and its value.
func Fold(line string, columns int) string {
	if columns <= 0 || widthOf(line) <= columns {
		return line
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	hang := indent + 2
	for _, gap := range gaps.FindAllStringIndex(line, -1) {
		if end := widthOf(line[:gap[1]]) - 1; end <= columns/2 {
			hang = end
		}
	}
	return breakLine(line, columns, min(hang, columns/2))
}

var (
	gaps = regexp.MustCompile(`[^ ]  +[^ ]`)
	// pieces are what no break may divide: a time with its date, a flag with its value,
	// and any word. A command is the program with its words and flags.
	pieces   = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d\S*|--[a-z-]+ (?:'(?:[^']|'\\'')*'\S*|[^-\s]\S*)|\S+`)
	commands = regexp.MustCompile(`newterms [a-z]+(?: (?:--[a-z-]+(?: (?:'(?:[^']|'\\'')*'|[^-\s;]\S*))?|[0-9a-f]{64}))+`)
)

// breakLine breaks a line before the pieces that would end beyond the columns. What
// follows a break is indented by hang, or less if a piece is too wide for that. In a
// command a break has a backslash, so that a shell reads it as one.
func breakLine(line string, columns, hang int) string {
	var b strings.Builder
	at, end := 0, 0 // columns of this line, bytes of the whole
	command := commands.FindStringIndex(line)
	for _, piece := range pieces.FindAllStringIndex(line, -1) {
		word, gap := line[piece[0]:piece[1]], piece[0]-end
		width, limit, inCommand := widthOf(word), columns, command != nil && piece[0] > command[0] && piece[1] <= command[1]
		if command != nil && piece[0] >= command[0] && piece[1] < command[1] {
			limit -= len(` \`)
		}
		switch {
		case end > 0 && at+gap+width > limit:
			if inCommand {
				b.WriteString(` \`)
			}
			at = max(0, min(hang, columns-width))
			b.WriteString("\n" + strings.Repeat(" ", at))
		default:
			b.WriteString(strings.Repeat(" ", gap))
			at += gap
		}
		b.WriteString(word)
		at, end = at+width, piece[1]
	}
	return b.String()
}

// widthOf returns the columns of a text without its colours.
func widthOf(line string) int { return text.StringWidthWithoutEscSequences(line) }
