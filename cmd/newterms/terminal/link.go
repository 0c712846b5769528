package terminal

import "io"

// Link makes a text a link where w is a terminal, and returns it unchanged elsewhere.
// Both must be escaped already.
func Link(w io.Writer, text, address string) string {
	if _, ok := Width(w); !ok || address == "" {
		return text
	}
	return hyperlink(text, address)
}

// hyperlink is OSC 8. A terminal that does not know it shows the text.
func hyperlink(text, address string) string {
	return "\x1b]8;;" + address + "\x1b\\" + text + "\x1b]8;;\x1b\\"
}
