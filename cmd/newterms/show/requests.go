package show

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// requests returns the requests in lines that a shell or Kibana's console takes.
func (p Page) requests(width int) string {
	var b strings.Builder
	for _, r := range p.Requests {
		fmt.Fprintf(&b, "\n# %s\n%s\n%s\n", r.Name, r.Path, readable(r.Body, "", 0, width))
	}
	b.WriteString("\nIn these requests every field is a keyword; a run asks for the types first.\n")
	return b.String()
}

// readableWidth is the maximum length of a line of a request; a narrower terminal has
// shorter ones.
const readableWidth = 110

// readable returns JSON with a value on one line if that fits the width behind what is
// before it, and otherwise each member on its own line.
func readable(value any, indent string, before, width int) string {
	flat, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	if before+len(flat)+len(",") <= width {
		return string(flat)
	}
	var generic any
	if json.Unmarshal(flat, &generic) != nil {
		return string(flat)
	}
	inner := indent + strings.Repeat(" ", max(1, width/55)) // 2, or 1 on a narrow terminal
	var parts []string
	switch v := generic.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			key, _ := json.Marshal(name) // a string always has JSON
			parts = append(parts, inner+string(key)+": "+readable(v[name], inner, len(inner)+len(key)+2, width))
		}
		return "{\n" + strings.Join(parts, ",\n") + "\n" + indent + "}"
	case []any:
		for _, element := range v {
			parts = append(parts, inner+readable(element, inner, len(inner), width))
		}
		return "[\n" + strings.Join(parts, ",\n") + "\n" + indent + "]"
	}
	return string(flat)
}
