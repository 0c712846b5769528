package esquery_test

import (
	"fmt"
	"testing"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/inspect"
)

// TestSlowestRefresh finds the slowest of many indices, whichever of them
// Elasticsearch tells of first.
func TestSlowestRefresh(t *testing.T) {
	node, prefix := estest.ForTest(t), estest.Name("refresh-")
	client := elastic.NewClient(node, elastic.Options{})
	slowest := func(name string, want time.Duration, patterns ...string) {
		t.Helper()
		index, interval, err := inspect.SlowestRefresh(t.Context(), client, patterns)
		if err != nil || index != name || interval != want {
			t.Errorf("%v: got %q, %s, %v, want %q, %s", patterns, index, interval, err, name, want)
		}
	}
	create := func(interval string) string {
		name := prefix + "-" + interval
		settings := ""
		if interval != "" {
			settings = fmt.Sprintf(`"index.refresh_interval":%q`, interval)
		}
		node.CreateIndex(t, name, []byte(`{"settings":{`+settings+`}}`))
		return name
	}
	all := prefix + "-*"
	create("")
	slowest("", 0, all)
	for _, interval := range []string{"1s", "30s", "5s", "2m", "90s", "500ms", "10s", "1m"} {
		create(interval)
	}
	slowest(prefix+"-2m", 2*time.Minute, all)
	slowest(prefix+"-2m", 2*time.Minute, "elsewhere:*", all, prefix+"-none")
	slowest("", 0, "elsewhere:logs-*")
	slowest(create("1h"), time.Hour, all)
	slowest(create("1d"), 24*time.Hour, all)
	node.CreateIndex(t, prefix+"-never", []byte(`{"settings":{"index.refresh_interval":"-1"}}`))
	slowest(prefix+"-never", inspect.NeverRefreshed, all)
}
