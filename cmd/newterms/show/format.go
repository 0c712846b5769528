package show

import (
	"encoding/json"
	"io"
)

// A Format is a value of --output.
type Format string

const (
	Text   Format = "text"   // sentences for people
	JSON   Format = "json"   // one object, or one a line
	Table  Format = "table"  // for people
	NDJSON Format = "ndjson" // an alert a line, as it is indexed
	None   Format = "none"   // prints nothing
	Secret Format = "secret" // Secrets of Kubernetes, in YAML
)

// Object prints JSON on several lines.
func Object(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Line prints JSON on one line.
func Line(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
