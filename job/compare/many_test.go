package compare_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"newterms/job"
	"newterms/job/compare"
)

var manyAlerts = flag.Int("alerts", 4000, "how many alerts each side has in TestManyAlerts")

// alone names the targets and indices for a process that does nothing but compare.
const alone = "NEWTERMS_TEST_COMPARE_ALONE"

// TestManyAlerts compares many alerts in a process of its own, whose heap is small
// whatever their number, and that sends a request for each page of them.
func TestManyAlerts(t *testing.T) {
	if names := os.Getenv(alone); names != "" {
		targets, prefix, _ := strings.Cut(names, " ")
		compareAlone(t, targets, prefix)
		return
	}
	f := manyCase()
	b := newBatch(t, newTargets(t), []*fortnightCase{f})
	requests := map[int]int{}
	loaded := 0
	for _, n := range []int{*manyAlerts / 4, *manyAlerts} {
		b.addAlerts(f, loaded, n)
		loaded = n
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestManyAlerts$", "-test.v")
		command.Env = append(os.Environ(), alone+"="+b.targets+" "+b.prefix, "ELASTICSEARCH_TEST_URL="+b.URL)
		begin := time.Now()
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		var got measured
		if _, found, ok := bytes.Cut(output, []byte("measured ")); !ok || json.Unmarshal([]byte(strings.SplitN(string(found), "\n", 2)[0]), &got) != nil {
			t.Fatalf("it measured nothing:\n%s", output)
		}
		resident := command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
		t.Logf("%d alerts on each side: %.1f MB of live objects at most, %.1f MB of heap with garbage, %d MB resident, %d requests, %s (%s alone)", n,
			float64(got.Live)/1e6, float64(got.Heap)/1e6, resident>>10, got.Requests, time.Since(begin).Round(time.Millisecond), got.Took)
		if got.Both != n-n/50 || got.OnlyKibana != n/100 || got.OnlyNewterms != n/100 {
			t.Errorf("got %+v", got)
		}
		if got.Heap > 64_000_000 {
			t.Errorf("the heap was %d bytes large", got.Heap)
		}
		requests[n] = got.Requests
	}
	if few, many := requests[*manyAlerts/4], requests[*manyAlerts]; many > 4*few || many > 30+*manyAlerts/200 {
		t.Errorf("%d requests for a quarter of the alerts, and %d for all", few, many)
	}
}

// manyCase is a case without events of its own.
func manyCase() *fortnightCase {
	return &fortnightCase{
		id: 1, seed: 1, random: rand.New(rand.NewPCG(1, 1)), start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
		config: config{interval: time.Hour, lookback: 70 * time.Minute, history: 3 * day, maxSignals: 1 << 20},
	}
}

// A measured is what a process that compares tells of itself.
type measured struct {
	Live, Heap                     uint64 // at most, in bytes: what a collection left, and with garbage
	Requests                       int
	Both, OnlyKibana, OnlyNewterms int
	Took                           time.Duration
}

// addAlerts writes alerts of both sides. Each side lacks one of a hundred of them.
func (b *batch) addAlerts(f *fortnightCase, from, to int) {
	b.t.Helper()
	e := &execution{at: f.start, uuid: "00000000-0000-4000-9000-00000000000e", revision: 1}
	ours := b.oneOfOurs(f)
	var bulk bytes.Buffer
	encoder := json.NewEncoder(&bulk)
	write := func(action string, target, id string, d object) {
		for _, line := range []object{{action: object{"_index": target, "_id": id}}, d} {
			if err := encoder.Encode(line); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for n := from; n < to; n++ {
		p := pair{fmt.Sprintf("00u%08d", n), fmt.Sprintf("acc-%d", n%9)}
		at := f.start.Add(time.Duration(1+n) * 7 * time.Second % fortnight)
		a := &kibanaAlert{id: fmt.Sprintf("k%039d", n), pair: p, event: &sighting{id: fmt.Sprint("e", n), at: at, visible: at, actors: p[:1], accounts: p[1:], action: "signin", ip: "203.0.113.7"}, run: e, at: at.Add(time.Minute), severity: "medium"}
		if n%100 != 50 {
			write("index", b.kibanaAlerts(), a.id, f.alertDocument(a, b.events()))
		}
		if n%100 != 51 {
			d := maps.Clone(ours)
			id := fmt.Sprintf("%064x", n)
			maps.Copy(d, object{
				"kibana.alert.uuid": id, "kibana.alert.new_terms": p[:], "newterms.first_seen": stamp(at), "@timestamp": stamp(at.Add(time.Hour)), "newterms.pair": id,
			})
			write("create", b.targets+"alerts", id, d)
		}
		if bulk.Len() > 4<<20 {
			b.Must(b.t, "POST", "/_bulk", bulk.Bytes())
			bulk.Reset()
		}
	}
	b.Must(b.t, "POST", "/_bulk?refresh=true", bulk.Bytes())
	b.Must(b.t, "POST", "/"+b.kibanaAlerts()+","+b.targets+"alerts/_refresh", nil)
}

// oneOfOurs is the document of an alert that the job has written.
func (b *batch) oneOfOurs(f *fortnightCase) object {
	b.t.Helper()
	s := f.see(pair{"00u", "acc"}, f.start.Add(-20*day))
	d := f.document(s)
	d["_id"] = s.id
	b.Index(b.t, b.events(), d)
	f.ours = []ourRun{{phase: 0, last: f.start.Add(-21 * day)}}
	b.runOurs(f, 0)
	found := b.Documents(b.t, b.targets+"alerts", object{"size": 1, "query": object{"term": object{"kibana.alert.new_terms": "00u"}}})
	if len(found) != 1 {
		b.t.Fatal("our job wrote no alert")
	}
	delete(found[0], "_index")
	delete(found[0], "_id")
	return found[0]
}

// compareAlone compares, and prints what that takes.
func compareAlone(t *testing.T, targets, prefix string) {
	f := manyCase()
	b := reopened(t, targets, prefix, f)
	var got measured
	done := make(chan bool)
	stopped := make(chan bool)
	go func() {
		defer close(stopped)
		samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(samples)
			got.Live, got.Heap = max(got.Live, samples[0].Value.Uint64()), max(got.Heap, samples[1].Value.Uint64())
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	debug.SetMemoryLimit(48 << 20) // as the command has it
	debug.SetGCPercent(400)
	begin := time.Now()
	report, err := b.comparison(f).Run(t.Context(), job.Window{From: f.start, To: f.end()}, func(d compare.Difference) error {
		if d.Class == "" {
			t.Errorf("%+v has no class", d)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got.Took = time.Since(begin)
	close(done)
	<-stopped
	got.Requests, _ = b.client.Usage()
	got.Both, got.OnlyKibana, got.OnlyNewterms = report.Both, report.OnlyKibana, report.OnlyNewterms
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("measured %s\n", text)
}
