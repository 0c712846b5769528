package kibana

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
)

// A Log is what Kibana's event log holds of some rules.
type Log struct {
	// Since is the time of the log's oldest document, of any rule; zero if it is empty.
	Since      time.Time
	Executions []Execution // ordered by start
	Gaps       []Gap       // ordered by beginning
}

// An Execution is a run of a rule, from all documents of the log about it.
type Execution struct {
	ID, Rule string // of the run, "" if the log does not say, and of the rule's saved object
	Start    time.Time
	Failed   bool // Kibana's framework says so
	TimedOut bool
	Ended    bool   // some document says how
	Status   string // as the rule itself reports it: succeeded, partial failure, failed or ""
	Messages []string
	Revision int64         // of the rule; -1 if the log does not say
	Gap      time.Duration // the time before its windows that it did not search; 0 if there is none
	// From and To are what somebody asked to search. Both are zero for a scheduled run.
	From, To time.Time
}

// Says reports whether one of the messages contains a text, whatever its letter case.
func (e Execution) Says(text string) bool {
	return slices.ContainsFunc(e.Messages, func(m string) bool { return strings.Contains(strings.ToLower(m), text) })
}

// A Gap is a time that no scheduled run has searched.
type Gap struct {
	Rule     string
	From, To time.Time // both inclusive
	Unfilled []query.Range
	Status   string // unfilled, partially_filled or filled
	Reason   string // "" in older versions
}

// Open reports whether a time is in the gap, and no later run has filled it there.
func (g Gap) Open(t time.Time) bool {
	within := func(from, to time.Time) bool { return !t.Before(from) && !t.After(to) }
	if !within(g.From, g.To) || g.Status == "filled" {
		return false
	}
	return len(g.Unfilled) == 0 || slices.ContainsFunc(g.Unfilled, func(r query.Range) bool { return within(r.From, r.To) })
}

// A Named rule is one whose executions the log has: by the ids of its saved objects, or
// if there are none, by its name.
type Named struct {
	IDs  []string
	Name string
}

func (n Named) query() dsl {
	if len(n.IDs) > 0 {
		return dsl{"terms": dsl{"rule.id": n.IDs}}
	}
	return dsl{"bool": dsl{"filter": []dsl{{"term": dsl{"rule.name": n.Name}}, {"term": dsl{"rule.category": "siem.newTermsRule"}}}}}
}

// logPage is how many documents of the log one search returns: about 1 MB.
const logPage = 2_000

// Log reads the executions that were logged in a range, and all gaps and runs by hand
// since its beginning.
func (r *Reader) Log(ctx context.Context, rule Named, in query.Range) (Log, error) {
	var log Log
	err := r.oldest(ctx, &log.Since)
	read := logReader{executions: map[string]*Execution{}, gaps: map[string]Gap{}}
	after := in.From
	var last []string // ids of the documents at after
	for size := logPage; err == nil; {
		var hits []logHit
		err = elastic.Fewer(&size, func(size int) error {
			_, err := r.client.Hits(ctx, elastic.Search{Indices: []string{r.events}, IgnoreUnavailable: true, Body: logBody(rule, after, in.To, size)}, &hits)
			return err
		})
		if err != nil {
			break
		}
		fresh := 0
		for _, hit := range hits {
			at := document(hit.Source).time("@timestamp")
			if !at.Equal(after) {
				after, last = at, nil
			}
			if !slices.Contains(last, hit.ID) {
				fresh++
				last = append(last, hit.ID)
				read.add(hit)
			}
		}
		switch {
		case len(hits) < size:
			log.Executions, log.Gaps = read.log()
			return log, nil
		case fresh == 0:
			err = fmt.Errorf("%w: %d documents or more have the time %s", elastic.ErrIncomplete, size, words.Stamp(after))
		}
	}
	return log, fmt.Errorf("read Kibana's event log: %w", err)
}

func (r *Reader) oldest(ctx context.Context, oldest *time.Time) error {
	var answer struct {
		Oldest struct{ Value *float64 } `json:"oldest"`
	}
	body := dsl{"size": 0, "track_total_hits": false, "aggs": dsl{"oldest": dsl{"min": dsl{"field": "@timestamp"}}}}
	err := r.client.Search(ctx, elastic.Search{Indices: []string{r.events}, IgnoreUnavailable: true, Body: body}, &answer)
	if err == nil && answer.Oldest.Value != nil {
		*oldest = time.UnixMilli(int64(*answer.Oldest.Value)).UTC()
	}
	return err
}

// logBody lists documents from a time on. Several may have the same time, and none has a
// field that orders these: the next page begins at the last one's time, and has these
// again.
func logBody(rule Named, from, to time.Time, size int) dsl {
	actions := func(names ...string) dsl { return dsl{"terms": dsl{"event.action": names}} }
	inTime := dsl{"range": dsl{"@timestamp": dsl{"lt": to.UnixMilli(), "format": "epoch_millis"}}}
	runs := dsl{"bool": dsl{"filter": []dsl{actions("execute-start", "execute", "execute-timeout", "status-change", "execution-metrics"), inTime}}}
	return dsl{
		"size": size, "track_total_hits": false, "sort": []dsl{{"@timestamp": dsl{"order": "asc", "unmapped_type": "date"}}},
		"query": dsl{"bool": dsl{"filter": []dsl{
			rule.query(), query.AnyOf([]dsl{runs, actions("execute-backfill", "gap")}),
			{"range": dsl{"@timestamp": dsl{"gte": from.UnixMilli(), "format": "epoch_millis"}}},
		}}},
		"_source": []string{
			"@timestamp", "event.action", "event.start", "event.outcome", "message", "error.message", "rule.id", "kibana.alert.rule.revision",
			"kibana.alert.rule.execution", "kibana.alert.rule.gap",
		},
	}
}

type logHit struct {
	ID     string         `json:"_id"`
	Source map[string]any `json:"_source"`
}

// A logReader joins the documents of each execution, and the editions of each gap.
type logReader struct {
	executions map[string]*Execution
	gaps       map[string]Gap
}

func (l logReader) add(hit logHit) {
	d := document(hit.Source)
	if d.text("event.action") == "gap" {
		l.addGap(d)
		return
	}
	id := d.text("kibana.alert.rule.execution.uuid")
	key := id
	if id == "" { // each of its documents is a run of its own
		key = hit.ID
	}
	e := l.executions[key]
	if e == nil {
		e = &Execution{ID: id, Rule: d.text("rule.id"), Revision: -1}
		l.executions[key] = e
	}
	if start := cmp.Or(d.time("event.start"), d.time("@timestamp")); e.Start.IsZero() || start.Before(e.Start) {
		e.Start = start
	}
	e.Revision = max(e.Revision, d.whole("kibana.alert.rule.revision", -1))
	e.Gap = max(e.Gap, time.Duration(d.whole("kibana.alert.rule.execution.metrics.execution_gap_duration_s", 0))*time.Second)
	for _, name := range []string{"message", "error.message"} {
		if text := d.text(name); text != "" && !slices.Contains(e.Messages, text) {
			e.Messages = append(e.Messages, text)
		}
	}
	switch action := d.text("event.action"); action {
	case "execute", "execute-backfill":
		e.Ended = true
		e.Failed = e.Failed || d.text("event.outcome") == "failure"
	case "execute-timeout":
		e.TimedOut, e.Ended = true, true
	case "status-change":
		if status := d.text("kibana.alert.rule.execution.status"); status != "running" && status != "going to run" {
			e.Status, e.Ended = status, true
		}
	}
	if from := d.time("kibana.alert.rule.execution.backfill.start"); !from.IsZero() {
		if length, err := time.ParseDuration(d.text("kibana.alert.rule.execution.backfill.interval")); err == nil {
			e.From, e.To = from, from.Add(length)
		}
	}
}

// addGap keeps the newest document of each gap: Kibana writes it again as it is filled.
func (l logReader) addGap(d document) {
	g := Gap{
		Rule: d.text("rule.id"), From: d.time("kibana.alert.rule.gap.range.gte"), To: d.time("kibana.alert.rule.gap.range.lte"),
		Status: d.text("kibana.alert.rule.gap.status"), Reason: d.text("kibana.alert.rule.gap.reason.type"),
	}
	for _, one := range d.objects("kibana.alert.rule.gap.unfilled_intervals") {
		g.Unfilled = append(g.Unfilled, query.Range{From: one.time("gte"), To: one.time("lte")})
	}
	if !g.From.IsZero() && !g.To.IsZero() {
		l.gaps[g.Rule+words.Stamp(g.From)+words.Stamp(g.To)] = g
	}
}

func (l logReader) log() ([]Execution, []Gap) {
	var executions []Execution
	for _, id := range slices.Sorted(maps.Keys(l.executions)) {
		executions = append(executions, *l.executions[id])
	}
	slices.SortStableFunc(executions, func(a, b Execution) int { return a.Start.Compare(b.Start) })
	gaps := slices.SortedFunc(maps.Values(l.gaps), func(a, b Gap) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.Rule, b.Rule))
	})
	return executions, gaps
}
