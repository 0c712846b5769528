package show

import (
	"encoding/json"
	"io"
)

// A Format is a value of --output.
type Format string

const (
	Text   Format = "text" // sentences
	JSON   Format = "json" // one object, or one on each line
	Table  Format = "table"
	NDJSON Format = "ndjson" // one alert document on each line
	JUnit  Format = "junit"  // XML, as CI systems read it
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
