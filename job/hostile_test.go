package job_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/alerts/alert"
	"newterms/alerts/fields"
	"newterms/job"
)

var hostileEvents = flag.Int("hostile", 4_000, "how many random events a run has to write alerts of; a quarter of them with -short")

// TestRandomEventsFailNoRun makes an alert of each of many events that hold
// whatever an attacker, or a broken pipeline, may put into them. The source
// stores them because it looks at nothing but the fields of the rule.
func TestRandomEventsFailNoRun(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	amount := shorter(*hostileEvents)
	t.Logf("go test ./job -run %s -seed %d -hostile %d", t.Name(), *seed, amount)
	random := rand.New(rand.NewPCG(*seed, 7))
	w := newWorld(t)
	properties := map[string]any{
		"t": map[string]any{"type": "date"}, "who": map[string]any{"type": "keyword"}, "cloud.account.id": map[string]any{"type": "keyword"},
	}
	for _, name := range hostileNames {
		if top, _, _ := strings.Cut(name, "."); strings.TrimSpace(top) != "" {
			properties[top] = map[string]any{"type": "object", "enabled": false}
		}
	}
	w.create("events", map[string]any{"dynamic": false, "properties": properties})
	const batch = 2_000
	stored := 0 // the source itself refuses some
	for start := 0; start < amount; start += batch {
		var documents []map[string]any
		for i := start; i < min(start+batch, amount); i++ {
			e := hostileEvent(random)
			e["_id"], e["who"], e["cloud.account.id"], e["t"] = fmt.Sprint(i), fmt.Sprint("actor-", i), "acc-1", "2026-03-10T12:00:00.000Z"
			documents = append(documents, e)
		}
		stored += w.indexWhatFits(documents)
	}
	r := w.rule(map[string]any{
		"query": "*", "timestamp_override": "t", "timestamp_override_fallback_disabled": true,
		"history_window_start": "now-7d", "new_terms_fields": []string{"who", "cloud.account.id"},
	})
	r.Search.Wanted = fields.EventFields()
	var found []map[string]any
	j := w.job(r, &found)
	j.Emit = func(a alert.Alert) error { _, err := a.JSON(); a.Describe(); return err }
	leftOut := map[string]int{}
	j.Warn = func(err error) {
		if l, ok := err.(*job.LeftOut); ok {
			for _, what := range l.What {
				if strings.HasPrefix(what, "the event, because ") || what == "what is not mapped of the event" {
					leftOut[what]++
				}
			}
		}
	}
	run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
	if err != nil || run.Counts.Written != int64(stored) || stored < amount*9/10 {
		t.Errorf("%d alerts written of %d events, of which the source has %d: %v", run.Counts.Written, amount, stored, err)
	}
	t.Logf("%d alerts in %s, with %d requests; what could not be written as it was: %v", run.Counts.Written, run.Duration.Round(time.Millisecond), run.Requests, leftOut)
	for what, n := range leftOut {
		if strings.Contains(what, "building the alert failed") {
			t.Errorf("%d times: %s", n, what)
		}
	}
}

// indexWhatFits returns how many of the documents the source has taken.
func (w *world) indexWhatFits(documents []map[string]any) int {
	w.t.Helper()
	var bulk bytes.Buffer
	encoder := json.NewEncoder(&bulk)
	for _, d := range documents {
		id := d["_id"]
		delete(d, "_id")
		for _, line := range []any{map[string]any{"index": map[string]any{"_id": id}}, d} {
			if err := encoder.Encode(line); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	request, err := http.NewRequestWithContext(w.t.Context(), "POST", "/"+w.prefix+"events/_bulk?refresh=true", &bulk)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	res, err := w.Perform(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return bytes.Count(answer, []byte(`"status":201`))
}

// hostileEvent makes an event of names that alerts map, among others, with
// values of every kind.
func hostileEvent(random *rand.Rand) map[string]any {
	e := map[string]any{}
	for range 1 + random.IntN(8) {
		name := hostileNames[random.IntN(len(hostileNames))]
		if name == "" || strings.Trim(name, " .") == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
			name = "user" // no source takes such a name at the top
			e[name] = map[string]any{hostileNames[random.IntN(len(hostileNames))]: hostileValue(random, 0)}
			continue
		}
		e[name] = hostileValue(random, 0)
	}
	return e
}

var hostileNames = []string{
	"user", "okta", "client", "source", "event", "host", "related", "data_stream", "kibana", "process", "tags", "message", "@timestamp",
	"id", "name", "actor", "target", "ip", "port", "geo", "location", "lat", "lon", "as", "number", "created", "ingested", "kind", "action",
	"alert", "ancestors", "uuid", "depth", "rule", "debug_context", "debug_data", "flattened", "request", "ip_chain", "pid", "severity", "first",
	"", " ", ".", "..", "a..b", "user.", ".user", "user.name", "user.name.first", "event.kind", "client.geo.location", "okta.target", "okta.target.x",
	"kibana.alert.ancestors", "signal", "newterms", "_x", "nul\x00", "esc\x1b[2K", "\u202e", "\u2028", strings.Repeat("long", 300), "ünï", "日本", "a\tb", "\"", "\\",
}

func hostileValue(random *rand.Rand, depth int) any {
	scalars := []any{
		nil, true, "true", "maybe", "", " ", 0, -1, 1.5, json.Number("1e400"), json.Number("-9223372036854775809"), json.Number("99999999999999999999"), "null",
		"192.0.2.1", "::1", "fe80::1%eth0", "300.1.1.1", "2026-03-10T12:00:00Z", "2026-13-45", "99999-01-01", "now-1d", 1773144000, "1773144000123456789012",
		"nul\x00", "esc\x1b[1A\x1b[2K", "\u202egnp", "\r\n", strings.Repeat("x", 9_000), strings.Repeat("ü", 20_000), "52.1,4.3", "POINT (1 2)", "u4pruyd",
		"[kibana.alert.uuid]", "[user.name]", "\ufffd", "😀",
	}
	switch n := random.IntN(10); {
	case depth > 3 || n < 5:
		return scalars[random.IntN(len(scalars))]
	case n < 8:
		object := map[string]any{}
		for range random.IntN(4) {
			object[hostileNames[random.IntN(len(hostileNames))]] = hostileValue(random, depth+1)
		}
		return object
	case n < 9 && depth == 0 && random.IntN(4) == 0: // as deep as no flattened field allows
		var value any = "deep"
		for range 25 {
			value = map[string]any{"a": value}
		}
		return value
	default:
		list := make([]any, random.IntN(4))
		for i := range list {
			list[i] = hostileValue(random, depth+1)
		}
		return list
	}
}
