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

// A StoredRun is a run as a document in the runs target has it. Times are UTC, and zero
// if the document has none.
type StoredRun struct {
	ID     string
	Type   Type
	State  State // "" if there is no document; Started if the run has not ended, or was killed
	Search string
	// At is when the document was written, and Started when the run began.
	At, Started time.Time
	From, To    time.Time // the window, To exclusive
	GapTo       time.Time // exclusive
	Rerun       string    // the command that covers the gap; "" if there is none
	Error       string    // of a failed run
	Terminated  bool      // see Run
	Version     string    // of newterms
}

type runHits = elastic.TopHits[runHit]

type runHit struct {
	Fields elastic.Fields `json:"fields"`
	Source struct {
		Error any `json:"error.message"`
		Rerun any `json:"newterms.gap.rerun"`
	} `json:"_source"`
}

// storedRunFields lists the fields that runHit.run uses, dates in milliseconds.
func storedRunFields() []any {
	fields := []any{
		"newterms.run.id", "newterms.run.type", "newterms.run.state", "newterms.run.terminated", "newterms.search", "newterms.version",
	}
	for _, date := range []string{"@timestamp", "newterms.run.started", "newterms.window.from", "newterms.window.to", "newterms.gap.to"} {
		fields = append(fields, dsl{"field": date, "format": "epoch_millis"})
	}
	return fields
}

func (h runHit) text(name string) string {
	if values := h.Fields[name]; len(values) > 0 {
		return fmt.Sprint(values[0])
	}
	return ""
}

func (h runHit) date(name string) time.Time {
	ms, err := strconv.ParseInt(h.text(name), 10, 64)
	if err != nil { // it has none
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// run returns the run of a document.
func (h runHit) run() StoredRun {
	run := StoredRun{
		ID: h.text("newterms.run.id"), Type: Type(h.text("newterms.run.type")), State: State(h.text("newterms.run.state")), Search: h.text("newterms.search"),
		At: h.date("@timestamp"), Started: h.date("newterms.run.started"), From: h.date("newterms.window.from"), To: h.date("newterms.window.to"),
		GapTo: h.date("newterms.gap.to"), Terminated: h.text("newterms.run.terminated") == "true", Version: h.text("newterms.version"),
	}
	run.Error, _ = h.Source.Error.(string)
	run.Rerun, _ = h.Source.Rerun.(string)
	return run
}
