package runs

import (
	"fmt"
	"strconv"
	"time"

	"newterms/esquery/elastic"
)

// longTexts lists the fields that may be too long for doc values. Only _source has
// them.
func longTexts() []string { return []string{"error.message", "newterms.gap.rerun"} }

// A storedRun is a run document as read from the target.
type storedRun struct {
	state              State // "" if there is none
	kind               Type
	terminated         bool
	at, started        time.Time
	from, to           time.Time
	gapTo              time.Time
	id, search, errors string
	rerun, version     string
}

type runHits struct {
	Hits struct {
		Hits []runHit `json:"hits"`
	} `json:"hits"`
}

type runHit struct {
	Fields elastic.Fields `json:"fields"`
	Source struct {
		Error any `json:"error.message"` // longer than doc values are
		Rerun any `json:"newterms.gap.rerun"`
	} `json:"_source"`
}

// storedRunFields lists the fields that read uses, dates in milliseconds.
func storedRunFields() []any {
	fields := []any{
		"newterms.run.id", "newterms.run.type", "newterms.run.state", "newterms.run.terminated", "newterms.search", "newterms.version",
	}
	for _, date := range []string{"@timestamp", "newterms.run.started", "newterms.window.from", "newterms.window.to", "newterms.gap.to"} {
		fields = append(fields, dsl{"field": date, "format": "epoch_millis"})
	}
	return fields
}

func (h runHit) read() storedRun {
	text := func(name string) string {
		if values := h.Fields[name]; len(values) > 0 {
			return fmt.Sprint(values[0])
		}
		return ""
	}
	date := func(name string) time.Time {
		ms, err := strconv.ParseInt(text(name), 10, 64)
		if err != nil { // it has none
			return time.Time{}
		}
		return time.UnixMilli(ms).UTC()
	}
	r := storedRun{
		state: State(text("newterms.run.state")), kind: Type(text("newterms.run.type")), terminated: text("newterms.run.terminated") == "true",
		at: date("@timestamp"), started: date("newterms.run.started"), from: date("newterms.window.from"), to: date("newterms.window.to"),
		gapTo: date("newterms.gap.to"), id: text("newterms.run.id"), search: text("newterms.search"), version: text("newterms.version"),
	}
	r.errors, _ = h.Source.Error.(string)
	r.rerun, _ = h.Source.Rerun.(string)
	return r
}
