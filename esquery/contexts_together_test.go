package esquery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery/before"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// tooMany refuses searches for contexts whose body is longer than some bytes.
type tooMany struct {
	*estest.Node
	most, asked, longest int
}

func (m *tooMany) Perform(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return m.Node.Perform(r)
	}
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, []byte(`"users":{`)) {
		m.longest = max(m.longest, len(body))
		if m.asked++; len(body) > m.most {
			const answer = `{"error":{"type":"too_many_buckets_exception","reason":"made up"},"status":400}`
			return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer))}, nil
		}
	}
	return m.Node.Perform(r)
}

// TestContextsTogether answers about many subjects what it answers about each alone, in
// an index of three shards, with values of each type, and with more other values than are
// counted before and after some subjects.
func TestContextsTogether(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 0))
	var documents []map[string]any
	for range 3_000 {
		at := noon.Add(-time.Duration(random.Int64N(int64(20 * 24 * time.Hour)))).Truncate(time.Minute)
		documents = append(documents, map[string]any{
			"at": at.Format(time.RFC3339), "user": fmt.Sprint("u", random.IntN(200)), "host": []string{fmt.Sprint("h", random.IntN(3)), fmt.Sprint("h", random.IntN(300))},
			"ip": []string{"192.0.2.1", "::ffff:192.0.2.2", "2001:DB8::1"}[random.IntN(3)], "n": random.IntN(2), "ok": random.IntN(3) > 0,
		})
	}
	// Long before: many users at once at the beginning of what some subjects see, and at the
	// end of what others do.
	base := noon.Add(-40 * 24 * time.Hour)
	add := func(at time.Time, list, user string) {
		documents = append(documents, map[string]any{"at": at.Format(time.RFC3339), "user": user, "list": list})
	}
	for i := range before.MaxOthers + 50 {
		second := time.Duration(i) * time.Second
		add(base.Add(10*time.Minute-week/4+second), "early", fmt.Sprint("u", i))
		add(base.Add(5*time.Hour+second), "late", fmt.Sprint("u", i))
	}
	for i := range 3 {
		add(base.Add(2*time.Hour-week/4), "early", fmt.Sprint("v", i))
		add(base.Add(time.Minute), "late", fmt.Sprint("v", i))
	}
	node, index := estest.ForTest(t), estest.Name("esquery-")
	node.CreateIndex(t, index, []byte(`{"settings":{"number_of_shards":3},"mappings":`+summaryMapping+`}`))
	node.Index(t, index, documents...)
	var subjects []before.Subject
	for i := range 24 {
		at := noon.Add(-time.Duration(i) * 6 * time.Hour)
		if i%3 == 0 {
			at = noon.Add(-time.Duration(i) * time.Minute)
		}
		subjects = append(subjects, before.Subject{Terms: []any{fmt.Sprint("u", random.IntN(220)), fmt.Sprint("h", random.IntN(4)), json.Number(fmt.Sprint(i % 2))}, At: at, Attributes: []before.Attribute{
			{Field: "ip", Value: []string{"::ffff:192.0.2.1", "192.0.2.2", "2001:db8:0::1"}[i%3]}, {Field: "n", Value: "01"}, {Field: "ok", Value: "false"},
		}})
	}
	for _, hours := range []int{0, 1, 10} {
		subjects = append(subjects, before.Subject{Terms: []any{"v0", "h0", json.Number("1")}, At: base.Add(time.Duration(hours) * time.Hour), Attributes: []before.Attribute{{Field: "list", Value: "early"}, {Field: "list", Value: "late"}}})
	}
	slices.SortFunc(subjects, func(a, b before.Subject) int { return a.At.Compare(b.At) })
	through := &tooMany{Node: node}
	for _, fields := range [][]string{{"user"}, {"user", "host"}, {"user", "host", "n"}} {
		search := query.Search{Indices: []string{index}, Fields: fields, Timestamp: "at", Wanted: []string{"ip", "n", "ok", "list"}}
		opened := open(t, through, search).Opened
		of := slices.Clone(subjects)
		for i := range of {
			of[i].Terms = of[i].Terms[:len(fields)]
		}
		want := aloneContexts(t, opened, through, of)
		var asked []int
		through.longest = 0
		for try := range 2 {
			if try == 1 {
				through.most = through.longest / 2
			}
			through.asked = 0
			got, err := before.New(opened).Contexts(t.Context(), week/4, of)
			if err != nil {
				t.Fatal(err)
			}
			asked = append(asked, through.asked)
			for i := range got {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Errorf("%+v:\ngot  %+v\nwant %+v", of[i], got[i], want[i])
				}
			}
		}
		if asked[0] > 12 || asked[1] <= asked[0] {
			t.Errorf("%v: %v requests for %d subjects", fields, asked, len(of))
		}
	}
}

// aloneContexts asks about each subject alone.
func aloneContexts(t *testing.T, opened *query.Opened, through *tooMany, subjects []before.Subject) []before.Context {
	t.Helper()
	var all []before.Context
	asker, hundred, fewer := before.New(opened), 0, 0
	through.most = 1 << 20
	for _, s := range subjects {
		alone, err := asker.Contexts(t.Context(), week/4, []before.Subject{s})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range alone[0].Attributes {
			switch {
			case a.Others == before.MaxOthers:
				hundred++
			case a.Others > 0:
				fewer++
			case a.Events > 0:
				t.Errorf("nobody had %v before", s)
			}
		}
		all = append(all, alone...)
	}
	if hundred == 0 || fewer == 0 {
		t.Errorf("%d values with a hundred others, %d with fewer", hundred, fewer)
	}
	return all
}

// TestContextsOfSeveralTimes counts an event once, although two of its times are before a
// subject, and another subject is between them.
func TestContextsOfSeveralTimes(t *testing.T) {
	first, last := noon.Add(-time.Hour), noon.Add(time.Hour)
	index := newIndex(t, summaryMapping, fmt.Sprintf(`{"at":[%q,%q],"user":"ada","host":"h1"}`, first.Format(time.RFC3339), last.Format(time.RFC3339)))
	through := &tooMany{Node: estest.ForTest(t), most: 1 << 20}
	source := open(t, through, query.Search{Indices: []string{index}, Fields: []string{"user", "host"}, Timestamp: "at"})
	terms := []any{"ada", "h1"}
	got, err := before.New(source.Opened).Contexts(t.Context(), week, []before.Subject{{Terms: terms, At: noon}, {Terms: terms, At: noon.Add(2 * time.Hour)}})
	var want []before.Context
	for _, at := range []time.Time{{}, last} { // the later time is not before the first subject
		seen := before.Seen{Events: 1, Last: at, Others: 1}
		want = append(want, before.Context{PairLast: at, Terms: []before.Seen{seen, seen}, User: before.Seen{Events: 1, First: first, Last: at}})
	}
	if err != nil || !reflect.DeepEqual(got, want) || through.asked != 3 {
		t.Errorf("%d requests, %v:\ngot  %+v\nwant %+v", through.asked, err, got, want)
	}
}
