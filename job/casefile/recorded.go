package casefile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"newterms/alerts/fields"
)

// longestLine is the longest line of a file of events, in bytes.
const longestLine = 4 << 20

// recorded reads the events of a file with one JSON document a line, or one hit of a
// search. All of their times are moved by the same length, so that the newest @timestamp
// is at the case's last.
func (r *reader) recorded(t caseTable, line func(key string) int) []Event {
	if t.Events == "" {
		if t.Last != "" {
			r.problem(line("last"), "last has no effect without events, a file")
		}
		return nil
	}
	last := -time.Minute
	if t.Last != "" {
		r.offset(line("last"), "last", t.Last, &last)
	}
	path := filepath.Join(filepath.Dir(r.path), t.Events)
	text, err := os.ReadFile(path)
	if err != nil {
		r.problem(line("events"), "events: %w", err)
		return nil
	}
	of := reader{path: path}
	documents := of.documents(text)
	var newest time.Time
	for _, d := range documents {
		if d.at.After(newest) {
			newest = d.at
		}
	}
	var events []Event
	for _, d := range documents {
		e := Event{At: d.at.Sub(newest) + last, Fields: d.source, times: map[string]time.Duration{}, recorded: true}
		flatten("", d.source, func(path string, value any) {
			if text, ok := value.(string); ok && fields.IsISODate(text) {
				if at, err := time.Parse(time.RFC3339, text); err == nil {
					e.times[path] = at.Sub(newest) + last
				}
			}
		})
		for path := range e.times {
			if !remove(e.Fields, path) { // in an array, where it stays as it is
				delete(e.times, path)
			}
		}
		events = append(events, e)
	}
	r.problems = append(r.problems, of.problems...)
	return events
}

// A recordedEvent is the source of an event with its @timestamp.
type recordedEvent struct {
	source map[string]any
	at     time.Time
}

func (r *reader) documents(text []byte) []recordedEvent {
	var all []recordedEvent
	scanner := bufio.NewScanner(bytes.NewReader(text))
	scanner.Buffer(nil, longestLine)
	n := 0
	for scanner.Scan() {
		n++
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(scanner.Bytes()))
		decoder.UseNumber()
		var source map[string]any
		if err := decoder.Decode(&source); err != nil {
			r.problem(n, "%w", err)
			continue
		}
		if inner, ok := source["_source"].(map[string]any); ok {
			source = inner
		}
		var at time.Time
		flatten("", source, func(path string, value any) {
			if text, ok := value.(string); ok && path == "@timestamp" {
				at, _ = time.Parse(time.RFC3339, text) // the zero time is reported below
			}
		})
		if at.IsZero() {
			r.problem(n, "the event has no @timestamp in RFC 3339")
		}
		all = append(all, recordedEvent{source, at})
	}
	if err := scanner.Err(); err != nil {
		r.problem(n+1, "%w", err)
	}
	if len(all) == 0 || len(all) > maxEvents {
		r.problem(1, "it has %d events: a case has 1 to %d", len(all), maxEvents)
	}
	return all
}
