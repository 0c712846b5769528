package casefile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/job/casefile"
)

// TestProblems wants each problem with its line.
func TestProblems(t *testing.T) {
	const ok = "[[case]]\nname = \"x\"\n[[case.event]]\nat = \"-1h\"\n"
	for text, want := range map[string]string{
		"":                           "f:1: it has no [[case]]",
		"[[case]\n":                  "f:2: expected end of table array",
		"[[case]]\nname = 3\n":       "f:2: case.name: TOML value has type int64",
		"[[case]]\n\nnmae = \"x\"\n": "f:3: the key nmae is unknown: did you mean name?",
		"[[case]]\n[[case.event]]\nat = \"-1h\"\n":                                       "f:1: the case has no name",
		"[[case]]\nname = \"x\"\n":                                                       "f:1: the case has no event",
		ok + "[[case]]\nname = \"x\"\n[[case.event]]\nat = \"-1h\"\n":                    `f:5: there is another case "x"`,
		"[events]\n" + ok:                                                                "f:1: the key events is unknown: did you mean event?",
		"[[case]]\nname = \"x\"\n[[case.event]]\nuser.name = \"a\"\n":                    "f:3: the event has no at",
		"[[case]]\nname = \"x\"\n[[case.event]]\nat = 3\n":                               "f:3: the event has no at",
		"[[case]]\nname = \"x\"\n[[case.event]]\nx = 1\nat = \"1 day\"\n":                "f:5: at: \"1 day\" is no time",
		"[[case]]\nname = \"x\"\n[[case.event]]\nat = \"--1h\"\n":                        "f:4: at: \"--1h\" is no time",
		"[[case]]\nname = \"x\"\n[[case.event]]\nat = \"-\"\n":                           "f:4: at: \"-\" is no time",
		ok + "every = \"1h\"\n":                                                          "f:3: every and count belong together",
		ok + "every = \"0s\"\ncount = 2\n":                                               "f:5: every: 0s is no length of time",
		ok + "every = \"1h\"\ncount = 0\n":                                               "f:6: count: 0 is no whole number from 1 to 10000",
		ok + "evry = \"1h\"\n":                                                           "f:5: the field evry looks like a slip: did you mean every?",
		ok + "without = \"user\"\n":                                                      "f:5: without is no list of fields",
		ok + "event.ingested = \"now\"\n":                                                "f:5: event.ingested: ",
		ok + "[[case.alert]]\nat = \"-1h\"\n":                                            "f:5: the alert has no terms",
		ok + "[[case.alert]]\nterms = \"a\"\n":                                           "f:5: terms: a is neither a list nor a table",
		ok + "[[case.alert]]\nterms = [\"a\"]\nseverty = \"low\"\n":                      "f:7: the key severty is unknown: did you mean severity?",
		"[[case]]\nname = \"x\"\nfrom = \"0s\"\n[[case.event]]\nat = \"-1h\"\n":          "f:3: from is not before to, which is 0s",
		"[[case]]\nname = \"x\"\nschedule = \"1m\"\n[[case.event]]\nat = \"-1h\"\n":      "f:3: that is more than 1000 runs",
		"[[case]]\nname = \"x\"\nschedule = \"x\"\n[[case.event]]\nat = \"-1h\"\n":       "f:3: schedule: ",
		"[[case]]\nname = \"x\"\nmissing_terms = \"no\"\n[[case.event]]\nat = \"-1h\"\n": "f:3: missing_terms: ",
		"[[case]]\nname = \"x\"\nlast = \"-1h\"\n[[case.event]]\nat = \"-1h\"\n":         "f:3: last has no effect",
		"[[case]]\nname = \"x\"\nevents = \"none.ndjson\"\n":                             "f:3: events: open",
	} {
		_, err := casefile.Parse("f", text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

// TestEvents wants the documents of a case: fields of all events, of a series, dotted and
// nested, and times.
func TestEvents(t *testing.T) {
	const text = `
[event]
event.kind = "event"
user.name = "ada"
user.id = 7
tags = ["x"]

[[case]]
name = "all forms"
[[case.event]]
at = "-1d2h"
every = "90m"
count = 2
"user.name" = "bea"
event = { ingested = "-10s", created = "2026-01-02T03:04:05Z" }
without = ["user.id", "tags"]
objects = [{ a = 1 }, { a = 2 }]
[[case.event]]
at = "0s"
without = ["event.ingested", "user"]
`
	all, err := casefile.Parse("f", text)
	if err != nil {
		t.Fatal(err)
	}
	zero := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	want := []string{
		`{"@timestamp":"2026-05-03T10:00:00.000Z","event":{"created":"2026-01-02T03:04:05Z","ingested":"2026-05-04T11:59:50.000Z","kind":"event"},"objects":[{"a":1},{"a":2}],"user.name":"bea"}`,
		`{"@timestamp":"2026-05-03T11:30:00.000Z","event":{"created":"2026-01-02T03:04:05Z","ingested":"2026-05-04T13:29:50.000Z","kind":"event"},"objects":[{"a":1},{"a":2}],"user.name":"bea"}`,
		`{"@timestamp":"2026-05-04T12:00:00.000Z","event":{"kind":"event"},"tags":["x"]}`,
	}
	for i, e := range all[0].Events {
		got, err := json.Marshal(e.Document(zero, "@timestamp", "event.ingested"))
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(want) || string(got) != want[i] {
			t.Errorf("event %d is\n%s", i, got)
		}
	}
	if len(all[0].Events) != len(want) {
		t.Errorf("%d events", len(all[0].Events))
	}
	if got, want := casefile.Paths(all[0].Events[0].Document(zero)), []string{"event.created", "event.ingested", "event.kind", "objects.a", "user.name"}; !slices.Equal(got, want) {
		t.Errorf("paths %v", got)
	}
}

// TestRecorded moves the times of real events together, and adds none.
func TestRecorded(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("e.test.ndjson", `{"@timestamp":"2026-01-01T00:00:00Z","event.ingested":"2026-01-01T00:00:05Z","n":12345678901234567890,"note":"2026-01-01"}

{"_index":"i","_source":{"@timestamp":"2026-01-02T00:00:00+01:00","a":[{"at":"2026-01-02T00:00:00Z"}]}}
`)
	path := write("r.test.toml", "[[case]]\nname = \"x\"\nevents = \"e.test.ndjson\"\nlast = \"-1h\"\n")
	all, err := casefile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	zero := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for i, want := range []string{
		`{"@timestamp":"2026-05-03T12:00:00.000Z","event":{"ingested":"2026-05-03T12:00:05.000Z"},"n":12345678901234567890,"note":"2026-01-01"}`,
		`{"@timestamp":"2026-05-04T11:00:00.000Z","a":[{"at":"2026-01-02T00:00:00Z"}]}`,
	} {
		if got, _ := json.Marshal(all[0].Events[i].Document(zero, "@timestamp", "event.ingested")); string(got) != want {
			t.Errorf("event %d is\n%s", i, got)
		}
	}
	for text, want := range map[string]string{
		"{}\n":              "e.test.ndjson:1: the event has no @timestamp",
		"\n{\"@timestamp\"": "e.test.ndjson:2: unexpected EOF",
		"":                  "e.test.ndjson:1: it has 0 events",
	} {
		write("e.test.ndjson", text)
		if _, err := casefile.Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestOffsets wants that a formatted offset is read as it was.
func TestOffsets(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "-6d23h": -167 * time.Hour, "5m": 5 * time.Minute, "-1h59m59.999s": -2*time.Hour + time.Millisecond, "-1d": -24 * time.Hour, "-1d2h500ms": -26*time.Hour - 500*time.Millisecond, "1ms": time.Millisecond,
	} {
		if got, err := casefile.ParseOffset(text); err != nil || got != want || casefile.Offset(got) != text {
			t.Errorf("%s is %v and formatted %s: %v", text, got, casefile.Offset(got), err)
		}
	}
	if d, err := casefile.ParseOffset("+5m"); err != nil || d != 5*time.Minute {
		t.Error(d, err)
	}
}

// TestTerms reads terms as a list and by field.
func TestTerms(t *testing.T) {
	all, err := casefile.Parse("f", `
[[case]]
name = "x"
[[case.event]]
at = "-1h"
[[case.alert]]
terms = ["a", 1]
[[case.alert]]
terms = { user.name = "a", "host.id" = true }
`)
	if err != nil {
		t.Fatal(err)
	}
	if a := all[0].Alerts; !reflect.DeepEqual(a[0].Terms, []any{"a", int64(1)}) || !reflect.DeepEqual(a[1].ByField, map[string]any{"user.name": "a", "host.id": true}) {
		t.Errorf("%+v", a)
	}
}
