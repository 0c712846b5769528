package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"newterms/esquery/estest"
)

// TestLowBucketLimits runs on a cluster that allows few buckets. The setting is
// the cluster's, so it has a node of its own.
func TestLowBucketLimits(t *testing.T) {
	t.Parallel() // with the other long tests
	node, err := estest.Start(t.Context(), estest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := node.Stop(); err != nil {
			t.Error(err)
		}
	}()
	for _, limit := range []int{9999, 100, 1} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			node.Must(t, "PUT", "/_cluster/settings", map[string]any{"persistent": map[string]any{"search.max_buckets": limit}})
			c := faultClusterOn(t, node)
			path := faultRule(t, "limited")
			lost := 0
			c.setFault(func(r request) bool { // an answer is lost, so that the run asks which alerts are its own
				if r.kind != "bulk" || lost > 0 {
					return false
				}
				lost++
				r.forward()
				panic(http.ErrAbortHandler)
			})
			p := quickly(func() time.Time { return noon })
			for _, want := range []string{"12 alerts written, 0 already alerted", "0 alerts written, 12 already alerted"} {
				_, stderr, code := c.callWith(t, p, c.environ, "run", "--rule", path, "--from", "2026-03-10T11:00:00Z", "--to", "2026-03-10T12:00:00Z")
				if code != 0 || !strings.Contains(stderr, want) {
					t.Errorf("exit %d, want %s: %s", code, want, stderr)
				}
				if got := c.alerts("limited"); !slices.Equal(got, newActors()) {
					t.Errorf("got alerts %v", got)
				}
			}
			if stdout, _, code := c.callWith(t, p, c.environ, "check", "--rule", path); strings.Contains(stdout, "too_many_buckets") {
				t.Errorf("check: exit %d: %s", code, stdout)
			}
		})
	}
}
