package compare_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/runs"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/kibana"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/compare"
	"newterms/job/rule"
)

// A batch is some cases in the same indices of the real server.
type batch struct {
	*estest.Node
	t       *testing.T
	targets string // the beginning of the names of our targets
	prefix  string // of the other indices
	client  *elastic.Client
	store   *alerts.Store
	cases   []*fortnightCase
	rules   map[*fortnightCase]rule.Rule // without settings
}

// newTargets makes the targets of our alerts and runs, which batches share: the node of
// estest cannot delete data streams, which end with it.
func newTargets(t *testing.T) (prefix string) {
	t.Helper()
	node := estest.ForTest(t)
	prefix = "." + estest.Name("fortnights") + "-"
	store := alerts.NewStore(elastic.NewClient(node, elastic.Options{Retry: elastic.DefaultRetry}), prefix+"alerts", prefix+"runs")
	if _, err := store.Setup(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{prefix + "alerts", prefix + "runs"} { // most of the time would go into waiting for the disk
		err := node.ChangeTemplate(t.Context(), target+"-index-template", func(template map[string]any) {
			template["template"].(object)["settings"].(object)["index"].(object)["translog"] = object{"durability": "async"}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return prefix
}

func newBatch(t *testing.T, targets string, cases []*fortnightCase) *batch {
	t.Helper()
	b := reopened(t, targets, estest.Name("fortnights")+"-", cases...)
	settings := object{"translog": object{"durability": "async"}, "number_of_replicas": 0}
	for name, mapping := range map[string]object{b.events(): eventMapping(), b.kibanaAlerts(): kibanaMapping(), b.kibanaLog(): logMapping()} {
		b.CreateIndex(t, name, object{"mappings": mapping, "settings": settings})
	}
	return b
}

// reopened is a batch of which the indices exist.
func reopened(t *testing.T, targets, prefix string, cases ...*fortnightCase) *batch {
	t.Helper()
	b := &batch{t: t, Node: estest.ForTest(t), targets: targets, prefix: prefix, cases: cases, rules: map[*fortnightCase]rule.Rule{}}
	b.client = elastic.NewClient(b.Node, elastic.Options{Retry: elastic.DefaultRetry})
	b.store = alerts.NewStore(b.client, targets+"alerts", targets+"runs")
	for _, f := range cases {
		b.rules[f] = b.load(f)
	}
	return b
}

func (b *batch) events() string       { return b.prefix + "events" }
func (b *batch) kibanaAlerts() string { return b.prefix + "kibana-alerts" }
func (b *batch) kibanaLog() string    { return b.prefix + "kibana-log" }

// kibanaLogOf is the log of a case: its own, if the beginning is deleted, which then no
// rule has.
func (b *batch) kibanaLogOf(f *fortnightCase) string {
	if f.log == "late" {
		return fmt.Sprint(b.kibanaLog(), "-", f.id)
	}
	return b.kibanaLog()
}

func eventMapping() object {
	return mappingOf(map[string]string{
		"@timestamp": "date", "event.ingested": "date", "event.created": "date", "event.action": "keyword", "event.kind": "keyword", "fortnight": "keyword",
		"okta.actor.id": "keyword", "cloud.account.id": "keyword", "cloud.account.number": "long", "source.ip": "ip", "network.name": "keyword",
	})
}

// load reads the rule from an export with its exceptions, as people have it.
func (b *batch) load(f *fortnightCase) rule.Rule {
	b.t.Helper()
	lines := []object{f.parameters(b.events())}
	if len(f.items) > 0 {
		lines = append(lines, object{"list_id": f.ruleID(), "id": f.ruleUUID(), "name": "networks", "namespace_type": "single", "type": "detection"})
	}
	for _, item := range f.items {
		line := object{
			"list_id": f.ruleID(), "item_id": item.network, "name": item.network, "namespace_type": "single", "type": "simple", "created_at": stamp(item.created),
			"entries": []object{{"field": "network.name", "type": "match", "operator": "included", "value": item.network}},
		}
		if !item.expires.IsZero() {
			line["expire_time"] = stamp(item.expires)
		}
		lines = append(lines, line)
	}
	path := filepath.Join(b.t.TempDir(), "rule.ndjson")
	file, err := os.Create(path)
	if err == nil {
		encoder := json.NewEncoder(file)
		for _, line := range lines {
			err = errors.Join(err, encoder.Encode(line))
		}
		err = errors.Join(err, file.Close())
	}
	rules, loadErr := rule.Load(path)
	if err := errors.Join(err, loadErr); err != nil {
		b.t.Fatal(err)
	}
	return rules[0]
}

// ruleAt is the rule as a run at a time has it.
func (b *batch) ruleAt(f *fortnightCase, now time.Time, exclude ...kql.Query) rule.Rule {
	r := b.rules[f]
	r.Exceptions = nil
	for i, e := range b.rules[f].Exceptions {
		if !f.items[i].created.After(now) {
			r.Exceptions = append(r.Exceptions, e)
		}
	}
	if _, _, err := r.Apply(rule.Settings{Exclude: exclude, MissingTerms: f.include}, now); err != nil {
		b.t.Error(err)
	}
	return r
}

// play moves all cases through their fortnights: events become visible, and our runs
// look at them.
func (b *batch) play() {
	next := make([]int, len(b.cases))
	for n := range phases + 1 {
		var documents []map[string]any
		for i, f := range b.cases {
			for ; next[i] < len(f.events) && !f.events[next[i]].visible.After(f.phaseTime(n)); next[i]++ {
				d := f.document(f.events[next[i]])
				d["_id"] = f.events[next[i]].id
				documents = append(documents, d)
			}
		}
		b.Index(b.t, b.events(), documents...)
		inParallel(b.cases, func(f *fortnightCase) { b.runOurs(f, n) })
	}
}

func inParallel(cases []*fortnightCase, do func(*fortnightCase)) {
	var workers sync.WaitGroup
	next := make(chan *fortnightCase)
	for range 4 {
		workers.Go(func() {
			for f := range next {
				do(f)
			}
		})
	}
	for _, f := range cases {
		next <- f
	}
	close(next)
	workers.Wait()
}

// runOurs makes our run of a phase, if there is one.
func (b *batch) runOurs(f *fortnightCase, phase int) {
	for i, r := range f.ours {
		if r.phase != phase || r.state == "absent" || r.state == "gap" {
			continue
		}
		now := f.until(r)
		checkpoint := runs.Checkpoint{Now: now, SucceededTo: r.last, HasEdition: i > 0}
		timing := job.Timing{Overlap: f.overlap, MaxCatchup: 7 * day}
		afterGap := i > 0 && f.ours[i-1].state == "gap"
		if afterGap {
			checkpoint.SucceededTo, timing.MaxCatchup = f.ours[i-1].last, now.Sub(r.last)
		}
		var exclude []kql.Query
		if r.state == "edited" {
			old, err := kql.Parse(`network.name:"Old Net"`)
			if err != nil {
				b.t.Error(err)
			}
			exclude = append(exclude, old)
		}
		j := &job.Job{
			Rule: b.ruleAt(f, now, exclude...), Version: "test", Store: b.store, Checkpoint: &checkpoint, Timing: timing, Open: b.open,
			Emit: func(alert.Alert) error { return nil }, Warn: func(error) {}, Usage: b.client.Usage, Rerun: job.Window.String,
			Now: func() time.Time { return now.Add(time.Second) },
		}
		if r.state == "failed" {
			j.Open = func(context.Context, query.Search) (*esquery.Source, error) {
				return nil, errors.New("no connection to the cluster")
			}
		}
		var err error
		if now.Sub(r.last) > day && !afterGap { // in one piece
			_, err = j.Run(b.t.Context(), uuid.NewString(), job.Window{From: checkpoint.SucceededTo.Add(-f.overlap), To: now})
		} else {
			_, err = j.RunScheduled(b.t.Context(), uuid.NewString)
		}
		if (err != nil) != (r.state == "failed") {
			b.t.Errorf("fortnight %d: %v", f.seed, err)
		}
	}
}

func (b *batch) open(ctx context.Context, s query.Search) (*esquery.Source, error) {
	return esquery.Open(ctx, b.client, s)
}

// writeKibana writes what Kibana's side leaves, but for what is lost.
func (b *batch) writeKibana() {
	for _, f := range b.cases {
		var documents []map[string]any
		for _, a := range f.alerts {
			if !f.lostAlerts[a] {
				d := f.alertDocument(a, b.events())
				d["_id"] = a.id
				documents = append(documents, d)
			}
		}
		b.Index(b.t, b.kibanaAlerts(), documents...)
		documents = nil
		if f.log != "none" {
			documents = f.logDocuments()
		}
		if f.log == "late" {
			b.CreateIndex(b.t, b.kibanaLogOf(f), object{"mappings": logMapping()})
		}
		b.Index(b.t, b.kibanaLogOf(f), documents...)
	}
}

func (b *batch) comparison(f *fortnightCase) compare.Comparison {
	log := b.kibanaLogOf(f)
	if f.log == "none" {
		log = b.prefix + "no-log-*"
	}
	return compare.Comparison{
		Rule: b.ruleAt(f, f.phaseTime(phases)), Open: b.open, Store: b.store, Kibana: kibana.NewReader(b.client, b.kibanaAlerts(), log),
		Command: func([]any, job.Window) string { return "newterms explain" },
	}
}
