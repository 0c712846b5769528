package alerts_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/alertstest"
	"newterms/alerts/runs"
	"newterms/alerts/templates"
	"newterms/alerts/workflow"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// changing gives other answers to bulk requests than the server did.
type changing struct {
	*estest.Node
	change func(answer string) string
	most   int64 // bytes of a request, unless it is 0
	asked  int
}

func (c *changing) Perform(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_bulk") && c.most > 0 {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if int64(len(text)) > c.most {
			c.asked++
			return &http.Response{StatusCode: http.StatusRequestEntityTooLarge, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("too large"))}, nil
		}
		r.Body = io.NopCloser(bytes.NewReader(text))
	}
	res, err := c.Node.Perform(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/_bulk") {
		return res, err
	}
	c.asked++
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(strings.NewReader(c.change(string(text))))
	return res, err
}

// changedStore is set up, and its answers are changed from then on.
func changedStore(t *testing.T, change func(answer string) string) (*alerts.Store, *changing, string) {
	t.Helper()
	transport := &changing{Node: estest.ForTest(t), change: change}
	target := estest.Name(".test-")
	again := func() []backoff.RetryOption {
		return []backoff.RetryOption{backoff.WithMaxTries(3), backoff.WithBackOff(&backoff.ZeroBackOff{})}
	}
	s := alerts.NewStore(elastic.NewClient(transport, elastic.Options{Retry: again}), target, target+"-runs")
	alertstest.SetUp(t, s)
	return s, transport, target
}

// TestAnswersAboutBulks believes nothing but that each document was created where
// it belongs. What was turned away or went elsewhere is sent again, and conflicts
// here with what was created after all.
func TestAnswersAboutBulks(t *testing.T) {
	const created = `"status":201`
	for name, c := range map[string]struct {
		old, new string // in the answer about one alert
		want     string // "" if that is written
		asked    int
	}{
		"as it is":             {created, created, "", 1},
		"of fewer documents":   {`"items":[{`, `"items":[],"others":[{`, "incomplete answer: it has 0 documents, 1 were sent", 1},
		"in the failure store": {created, created + `,"failure_store":"used"`, "", 2},
		"of another index":     {`"_index":".ds-`, `"_index":".ds-other-`, "400 ingest_pipeline: an ingest pipeline has sent it to .ds-other-", 1},
		"dropped":              {created, `"status":200`, "400 ingest_pipeline: an ingest pipeline has dropped it", 1},
		"busy":                 {created, `"status":429,"error":{"type":"es_rejected_execution_exception"}`, "", 2},
		"not available":        {created, `"status":503,"error":{"type":"unavailable_shards_exception"}`, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, transport, _ := changedStore(t, func(answer string) string { return strings.Replace(answer, c.old, c.new, 1) })
			transport.asked = 0
			result, err := write(t, s, newAlert(t, "run-1", "ada", firstSeen))
			if c.want == "" && (err != nil || len(result.Written) != 1) || c.want != "" && (err == nil || len(result.Written) > 0 || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %+v, %v, want %q", result, err, c.want)
			}
			if transport.asked != c.asked {
				t.Errorf("asked %d times, want %d", transport.asked, c.asked)
			}
		})
	}
}

// TestBusyIsNoPipelines gives up on a cluster that is busy, and blames no pipeline.
func TestBusyIsNoPipelines(t *testing.T) {
	busy := false
	s, transport, target := changedStore(t, func(answer string) string {
		if busy {
			const answered = `"status":429,"error":{"type":"es_rejected_execution_exception"},"was":{}`
			return strings.NewReplacer(`"status":201`, answered, `"status":409,"error":{`, answered+`,"before":{`).Replace(answer)
		}
		return answer
	})
	if _, err := write(t, s, newAlert(t, "run-1", "ada", firstSeen)); err != nil {
		t.Fatal(err)
	}
	transport.Must(t, "PUT", "/_ingest/pipeline/"+target, []byte(`{"processors":[]}`))
	transport.Must(t, "PUT", "/"+target+"/_settings", []byte(`{"index.default_pipeline":"`+target+`"}`))
	busy = true
	_, err := write(t, s, newAlert(t, "run-1", "basil", firstSeen))
	if err == nil || errors.As(err, new(*alerts.PipelineError)) || !strings.Contains(err.Error(), "429") {
		t.Errorf("got %v", err)
	}
}

// TestPipelines lists the pipelines of a target: _none is no pipeline.
func TestPipelines(t *testing.T) {
	s, transport, target := changedStore(t, func(answer string) string { return answer })
	if _, err := write(t, s, newAlert(t, "run-1", "ada", firstSeen)); err != nil {
		t.Fatal(err)
	}
	transport.Must(t, "PUT", "/_ingest/pipeline/"+target, []byte(`{"processors":[]}`))
	transport.Must(t, "PUT", "/"+target+"/_settings", []byte(`{"index.default_pipeline":"_none","index.final_pipeline":"`+target+`"}`))
	want := []templates.Pipeline{{Target: target, Setting: "final_pipeline", Name: target}}
	if got, err := s.Pipelines(t.Context(), target); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestTooLargeForTheWay writes an alert of an event that something on the way to the
// server does not let through: it goes without, at once.
func TestTooLargeForTheWay(t *testing.T) {
	s, transport, _ := changedStore(t, func(answer string) string { return answer })
	transport.most, transport.asked = 100<<10, 0
	large := largeAlert(t, firstSeen, 200<<10)
	result, err := write(t, s, large, newAlert(t, "run-1", "ada", firstSeen))
	if err != nil || len(result.Written) != 2 || transport.asked != 4 {
		t.Fatalf("asked %d times: %d are written, %v", transport.asked, len(result.Written), err)
	}
	for _, a := range result.Written {
		want := ""
		if a.ID == large.ID {
			want = "the event, because it is too large to write"
		}
		if got := strings.Join(a.LeftOut, ", "); got != want {
			t.Errorf("%s is left out, want %q", got, want)
		}
	}
}

// TestEachRefusedFieldGoes has a target that refuses several fields, one after the
// other. As long as they are few, nothing else of the event goes.
func TestEachRefusedFieldGoes(t *testing.T) {
	fields := []string{"action", "code", "dataset", "id", "module", "outcome", "provider", "reason", "type"}
	for n, lacks := range map[int]string{8: strings.Join(fields[:8], ", event."), 9: "what is not mapped of the event, the event, because the alerts target refuses it"} {
		s, node, target := alertstest.NewStore(t)
		alertstest.SetUp(t, s)
		err := node.ChangeTemplate(t.Context(), target+"-index-template", func(template map[string]any) {
			properties := template["template"].(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any)
			event := properties["event"].(map[string]any)["properties"].(map[string]any)
			for _, name := range fields {
				event[name] = map[string]any{"type": "long", "ignore_malformed": false}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		var members []string
		for _, name := range fields[:n] {
			members = append(members, fmt.Sprintf("%q:%q", name, "no number"))
		}
		maker, err := alert.NewMaker(sampleRule(), runs.Info{ID: "run-1"})
		if err != nil {
			t.Fatal(err)
		}
		source := `{"@timestamp":"2026-03-10T11:59:00.000Z","event":{` + strings.Join(members, ",") + `},"unmapped":{"a":1}}`
		result, err := write(t, s, maker.Alert(alert.Finding{
			Key: key(t, "ada", firstSeen), Terms: []any{"ada"}, From: firstSeen, To: firstSeen.Add(time.Hour),
			Event: alert.NewEvent(alert.SourceEvent{Index: "i", ID: "e", Source: []byte(source)}),
		}, firstSeen))
		if err != nil || len(result.Written) != 1 {
			t.Fatalf("%d: got %+v, %v", n, result, err)
		}
		a := result.Written[0]
		slices.Sort(a.LeftOut[:8])
		text, err := a.JSON()
		if !strings.HasSuffix(strings.Join(a.LeftOut, ", "), lacks) || err != nil || strings.Contains(string(text), `"unmapped":{"a":1}`) != (n == 8) ||
			!strings.Contains(string(text), `"kibana.alert.original_time":"2026-03-10T11:59:00.000Z"`) {
			t.Errorf("%d fields: %q are left out of %s, %v", n, a.LeftOut, text, err)
		}
	}
}

// TestLongReason is written to each of some alerts, in requests of about 2 MB.
func TestLongReason(t *testing.T) {
	s, transport, _ := changedStore(t, func(answer string) string { return answer })
	var ids []string
	for _, actor := range []string{"ada", "basil", "camille", "dana", "emil"} {
		a := newAlert(t, "run-1", actor, firstSeen)
		if _, err := write(t, s, a); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	transport.asked = 0
	did, err := s.Decide(t.Context(), ids, workflow.Decision{Status: workflow.Closed, Reason: strings.Repeat("x", 450<<10), At: firstSeen}, nil)
	if err != nil || did != (alerts.Decided{Changed: 5}) || transport.asked != 3 {
		t.Errorf("asked %d times: %+v, %v", transport.asked, did, err)
	}
}
