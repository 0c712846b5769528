package casefile

import (
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/job/datemath"
)

// An Event is a document of the rule's indices.
type Event struct {
	At     time.Duration // relative to the zero of the case
	Fields map[string]any
	// times are the fields with times of their own, by path, relative to the same zero.
	times map[string]time.Duration
	// without lists fields that the event lacks, times among them.
	without []string
	// recorded says that the event is a real one: it has only its own times.
	recorded bool
}

// Keys of an event that are no fields.
const (
	keyAt      = "at"
	keyEvery   = "every"
	keyCount   = "count"
	keyWithout = "without"
)

// Document returns the source of the event for a zero. dates are the fields that date
// events: each that the event does not have holds its time.
func (e Event) Document(zero time.Time, dates ...string) map[string]any {
	d := clone(e.Fields)
	has := map[string]bool{}
	flatten("", d, func(path string, _ any) { has[path] = true })
	for path, at := range e.times {
		elastic.Put(d, path, words.Stamp(zero.Add(at)))
		has[path] = true
	}
	for _, path := range dates {
		if !e.recorded && !has[path] && !slices.Contains(e.without, path) {
			elastic.Put(d, path, words.Stamp(zero.Add(e.At)))
		}
	}
	return d
}

// Paths lists the paths of the fields of a document, arrays of objects included, sorted.
func Paths(document map[string]any) []string {
	found := map[string]bool{}
	flatten("", document, func(path string, _ any) { found[path] = true })
	return slices.Sorted(maps.Keys(found))
}

// series reads a [[case.event]]: an event, or several at equal distances. It has the
// fields of every event, except for those that it has itself or is without.
func (r *reader) series(line int, table, every map[string]any) []Event {
	at, count, step := time.Duration(0), int64(1), time.Duration(0)
	text, ok := table[keyAt].(string)
	if !ok {
		r.problem(line, "the event has no at, such as at = \"-6d23h\"")
	} else {
		r.offset(r.lines.keyIn(line, keyAt), keyAt, text, &at)
	}
	if given, ok := table[keyCount]; ok {
		if count, ok = given.(int64); !ok || count < 1 || count > maxEvents {
			r.problem(r.lines.keyIn(line, keyCount), "count: %v is no whole number from 1 to %d", given, maxEvents)
			count = 1
		}
	}
	if given, ok := table[keyEvery]; ok {
		text, _ := given.(string)
		var err error
		if step, err = datemath.Duration(text); err != nil || step <= 0 {
			r.problem(r.lines.keyIn(line, keyEvery), "every: %v is no length of time, such as 1h", given)
		}
	}
	if (table[keyEvery] == nil) != (table[keyCount] == nil) {
		r.problem(line, "every and count belong together: an event is repeated count times, every so often")
	}
	without, ok := texts(table[keyWithout])
	if !ok {
		r.problem(r.lines.keyIn(line, keyWithout), "without is no list of fields")
	}
	own := maps.Clone(table)
	for _, key := range []string{keyAt, keyEvery, keyCount, keyWithout} {
		delete(own, key)
	}
	for name, value := range own {
		if _, isTable := value.(map[string]any); !isTable && !strings.Contains(name, ".") {
			if meant := words.Closest(name, []string{keyEvery, keyCount, keyWithout}); meant != "" {
				r.problem(r.lines.keyIn(line, name), "the field %s looks like a slip: did you mean %s?", name, meant)
			}
		}
	}
	fields := merged(own, every, without)
	times := r.times(line, fields)
	var events []Event
	for i := range time.Duration(count) {
		moved := map[string]time.Duration{}
		for path, t := range times {
			moved[path] = t + i*step
		}
		events = append(events, Event{At: at + i*step, Fields: fields, times: moved, without: without})
	}
	return events
}

// times takes the fields with relative times out of an event.
func (r *reader) times(line int, fields map[string]any) map[string]time.Duration {
	times := map[string]time.Duration{}
	flatten("", fields, func(path string, value any) {
		text, ok := value.(string)
		if !ok || !isDate(path) {
			return
		}
		if d, err := ParseOffset(text); err == nil {
			times[path] = d
		} else if _, err := time.Parse(time.RFC3339, text); err != nil {
			r.problem(r.lines.keyIn(line, path[strings.LastIndex(path, ".")+1:]), "%s: %w", path, err)
		}
	})
	for path := range times {
		if !remove(fields, path) { // in an array, where it stays as it is
			delete(times, path)
		}
	}
	return times
}

// isDate reports whether a field is one of those that date events.
func isDate(path string) bool {
	return slices.Contains([]string{"@timestamp", "event.created", "event.ingested", "event.start", "event.end"}, path)
}

func texts(value any) (list []string, ok bool) {
	if value == nil {
		return nil, true
	}
	values, ok := value.([]any)
	for _, v := range values {
		text, isText := v.(string)
		list, ok = append(list, text), ok && isText
	}
	return list, ok
}
