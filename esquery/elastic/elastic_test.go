package elastic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// TestSearchNamesTheDeadCluster asks a real server that cannot reach another
// one, which it may or may not pass over.
func TestSearchNamesTheDeadCluster(t *testing.T) {
	node, index := estest.ForTest(t), estest.Name("elastic-")
	node.CreateIndex(t, index, nil)
	remote := func(skip any, seeds any) {
		node.Must(t, "PUT", "/_cluster/settings", map[string]any{"persistent": map[string]any{
			"cluster.remote.emea.seeds": seeds, "cluster.remote.emea.skip_unavailable": skip,
		}})
	}
	t.Cleanup(func() {
		body := []byte(`{"persistent":{"cluster.remote.emea.seeds":null,"cluster.remote.emea.skip_unavailable":null}}`)
		if _, err := node.Request(context.Background(), "PUT", "/_cluster/settings", body); err != nil {
			t.Error(err)
		}
	})
	for skip, want := range map[bool]string{
		true:  ": incomplete answer: 1 of 2 clusters were skipped or failed: emea is skipped: connect_transport_exception: Unable to connect to [emea]",
		false: ": 502 connect_transport_exception: [][127.0.0.1:1] connect_exception",
	} {
		remote(skip, []string{"127.0.0.1:1"})
		err := elastic.NewClient(node, elastic.Options{}).Search(t.Context(), elastic.Search{
			Indices: []string{index, "emea:logs-*"}, IgnoreUnavailable: true,
			Body: map[string]any{"size": 0, "aggs": map[string]any{"n": map[string]any{"value_count": map[string]any{"field": "x"}}}},
		}, &struct{}{})
		t.Log(err)
		if want = "search " + index + ",emea:logs-*" + want; err == nil || err.Error() != want {
			t.Errorf("skip_unavailable %t: got %v\nwant %s", skip, err, want)
		}
	}
}

// TestSearchOfNothing keeps a missing index apart from one that is left out.
func TestSearchOfNothing(t *testing.T) {
	search := elastic.Search{Indices: []string{estest.Name("elastic-")}, Body: map[string]any{"size": 0}}
	client := elastic.NewClient(estest.ForTest(t), elastic.Options{})
	var refused *elastic.ResponseError
	if err := client.Search(t.Context(), search, &struct{}{}); !errors.As(err, &refused) || !refused.Has("index_not_found_exception") {
		t.Errorf("got %v", err)
	}
	search.IgnoreUnavailable = true
	if err := client.Search(t.Context(), search, &struct{}{}); !errors.Is(err, elastic.ErrNoShards) || !errors.Is(err, elastic.ErrIncomplete) {
		t.Errorf("got %v", err)
	}
}

func TestCauseTellsTheReason(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"type":"a","reason":"b"}`, "a: b"},
		{`{"type":"search_phase_execution_exception","reason":"all shards failed","root_cause":[{"type":"a","reason":"b"}]}`, "a: b"},
		{`{"type":"search_phase_execution_exception","reason":"","caused_by":{"type":"a","reason":"b"}}`, "a: b"},
		{`{"type":"search_phase_execution_exception","reason":"","failed_shards":[{"reason":{"type":"a","reason":"b"}}]}`, "a: b"},
		{`{"type":"c","reason":"d","root_cause":[{"type":"uncategorized_execution_exception","reason":"e"}]}`, "c: d"},
		{`{"type":"search_phase_execution_exception","reason":"all shards failed"}`, "search_phase_execution_exception: all shards failed"},
		{`{"type":"a"}`, "a"},
	} {
		var cause elastic.Cause
		if err := json.Unmarshal([]byte(c.body), &cause); err != nil || cause.String() != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.body, cause, err, c.want)
		}
	}
}

// refusing answers requests with a status and body, as a proxy would.
type refusing struct {
	status int
	body   string
}

func (r refusing) Perform(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: r.status, Header: http.Header{}, Body: body{strings.NewReader(r.body)}}, nil
}

type body struct{ *strings.Reader }

func (body) Close() error { return nil }

// TestInHalves refuses questions by what a cluster says to those that are too
// large, and others that no half makes better.
func TestInHalves(t *testing.T) {
	ask := func(refusal refusing, limit int) (asked []int, answers []string, err error) {
		answers, err = elastic.InHalves([]int{1, 2, 3, 4, 5}, func(items []int) ([]string, error) {
			asked = append(asked, len(items))
			if len(items) > limit {
				return nil, elastic.NewClient(refusal, elastic.Options{}).Do(t.Context(), esapi.InfoRequest{}, &struct{}{})
			}
			texts := make([]string, len(items))
			for i, n := range items {
				texts[i] = fmt.Sprint(n)
			}
			return texts, nil
		})
		return asked, answers, err
	}
	elasticError := func(kind, reason string) string {
		return fmt.Sprintf(`{"error":{"type":"search_phase_execution_exception","reason":"all shards failed","caused_by":{"type":%q,"reason":%q}}}`, kind, reason)
	}
	for _, refusal := range []refusing{
		{413, ""}, {413, "<html>"}, {400, elasticError("too_many_clauses", "")}, {400, elasticError("too_many_nested_clauses", "")},
		{400, elasticError("too_many_buckets_exception", "")}, {503, elasticError("too_many_buckets_exception", "")},
		{429, elasticError("circuit_breaking_exception", "")},
		{400, elasticError("illegal_argument_exception", "over the allowed maximum: [index.max_terms_count]")},
	} {
		asked, answers, err := ask(refusal, 1)
		if err != nil || strings.Join(answers, "") != "12345" || !slices.Equal(asked, []int{5, 2, 1, 1, 3, 1, 2, 1, 1}) {
			t.Errorf("%+v: asked %v, got %v, %v", refusal, asked, answers, err)
		}
		if _, _, err := ask(refusal, 0); err == nil {
			t.Errorf("%+v: not even one is taken, and there is no error", refusal)
		}
	}
	for _, refusal := range []refusing{{500, ""}, {400, elasticError("parsing_exception", "")}, {429, ""}} {
		if asked, _, err := ask(refusal, 1); err == nil || len(asked) != 1 {
			t.Errorf("%+v: asked %v, %v", refusal, asked, err)
		}
	}
}

// waiting never answers.
type waiting struct{}

func (waiting) Perform(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTimeout(t *testing.T) {
	client := elastic.NewClient(waiting{}, elastic.Options{Timeout: 10 * time.Millisecond})
	err := client.Do(t.Context(), esapi.InfoRequest{}, &struct{}{})
	var timeout *elastic.TimeoutError
	if !errors.As(err, &timeout) || timeout.After != 10*time.Millisecond || err.Error() != "no answer from Elasticsearch: nothing came within 10 ms" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Do(ctx, esapi.InfoRequest{}, &struct{}{}); !errors.Is(err, context.Canceled) || errors.As(err, new(*elastic.NoAnswerError)) {
		t.Errorf("canceled: got %v", err)
	}
}

// TestEachRequestHasItsOwnBackoff looks that nothing of one request's waits is in
// another's: a backoff knows how long it has waited.
func TestEachRequestHasItsOwnBackoff(t *testing.T) {
	made := 0
	client := elastic.NewClient(estest.ForTest(t), elastic.Options{Retry: func() []backoff.RetryOption {
		made++
		return elastic.DefaultRetry()
	}})
	search := elastic.Search{Indices: []string{estest.Name("none-")}, IgnoreUnavailable: true, Body: map[string]any{"size": 0}}
	_ = client.Again(t.Context(), func() error { return client.Search(t.Context(), search, &struct{}{}) }) // there is nothing to search
	if made < 2 {
		t.Errorf("%d backoffs for a request inside another try", made)
	}
}

// answering gives one answer after the other, and the last one from then on.
type answering struct {
	answers []refusing
	asked   int
}

func (a *answering) Perform(r *http.Request) (*http.Response, error) {
	answer := a.answers[min(a.asked, len(a.answers)-1)]
	a.asked++
	res, err := answer.Perform(r)
	res.Header.Set("X-Elastic-Product", "Elasticsearch")
	res.Header.Set("Retry-After", "0")
	return res, err
}

// TestRetries counts how often a request is sent, by the status of its answers.
func TestRetries(t *testing.T) {
	for status, want := range map[int]int{429: 6, 502: 6, 503: 6, 504: 6, 400: 1, 401: 1, 403: 1, 404: 1, 409: 1, 413: 1, 500: 1, 501: 1} {
		always := &answering{answers: []refusing{{status, ""}}}
		err := elastic.NewClient(always, elastic.Options{Retry: elastic.DefaultRetry}).Do(t.Context(), esapi.InfoRequest{}, &struct{}{})
		var refused *elastic.ResponseError
		if !errors.As(err, &refused) || refused.Status != status || always.asked != want {
			t.Errorf("%d: asked %d times, want %d: %v", status, always.asked, want, err)
		}
		fifth := &answering{answers: append(slices.Repeat([]refusing{{status, ""}}, 5), refusing{200, "{}"})}
		err = elastic.NewClient(fifth, elastic.Options{Retry: elastic.DefaultRetry}).Do(t.Context(), esapi.InfoRequest{}, &struct{}{})
		if (err == nil) != (want == 6) {
			t.Errorf("%d five times: %v", status, err)
		}
	}
}

// TestIncompleteAnswers has each way in which an answer lacks something.
func TestIncompleteAnswers(t *testing.T) {
	const whole = `"_shards":{"total":3,"failed":0},"aggregations":{}`
	for answer, want := range map[string]string{
		`{` + whole + `}`: "",
		`{` + whole + `,"_clusters":{"total":2,"successful":2}}`: "",
		`{"timed_out":true,` + whole + `}`:                       "the search timed out",
		`{"aggregations":{}}`:                                    "does not say how many shards",
		`{"_shards":{"total":3,"failed":1},"aggregations":{}}`:   "1 of 3 shards failed",
		`{"_shards":{"total":0,"failed":0},"aggregations":{}}`:   "no shard was searched",
		`{"_shards":{"total":3,"failed":0}}`:                     "holds no aggregations",
		`{"_shards":{"total":3,"failed":0},"aggregations":null}`: "holds no aggregations",
		`{` + whole + `,"_clusters":{"total":2,"skipped":1}}`:    "1 of 2 clusters were skipped or failed: it does not say which",
		`{` + whole + `,"_clusters":{"total":2,"failed":1}}`:     "1 of 2 clusters",
		`{` + whole + `,"_clusters":{"total":2,"partial":1,"details":{"west":{"status":"partial","failures":[{"index":"x","reason":{"type":"made_up"}}]},"":{"status":"successful"}}}}`: "1 of 2 clusters were skipped or failed: west is partial: x: made_up",
	} {
		client := elastic.NewClient(&answering{answers: []refusing{{200, answer}}}, elastic.Options{})
		err := client.Search(t.Context(), elastic.Search{Indices: []string{"i"}, Body: map[string]any{}}, &struct{}{})
		if want == "" && err != nil || want != "" && (!errors.Is(err, elastic.ErrIncomplete) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", answer, err, want)
		}
	}
}

// TestWrongNamesBehindSecurity takes what security calls forbidden for what it is.
func TestWrongNamesBehindSecurity(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"error":{"type":"security_exception","reason":"unauthorized","caused_by":{"type":"no_such_remote_cluster_exception","reason":"no such remote cluster: [east]"}}}`, "400 no_such_remote_cluster_exception: no such remote cluster: [east]"},
		{`{"error":{"type":"security_exception","reason":"unauthorized"}}`, "403 security_exception: unauthorized"},
		{`{"error":{"type":"security_exception","reason":"unauthorized","caused_by":{"type":"security_exception","reason":"no role"}}}`, "403 security_exception: unauthorized"},
	} {
		err := elastic.NewClient(refusing{http.StatusForbidden, c.body}, elastic.Options{}).Do(t.Context(), esapi.InfoRequest{}, &struct{}{})
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestSplitCluster(t *testing.T) {
	for name, want := range map[string][2]string{
		"west:logs-*": {"west", "logs-*"}, "*:*": {"*", "*"}, "logs-*": {"", "logs-*"}, "logs-x::failures": {"", "logs-x::failures"},
		"west:logs-x::data": {"west", "logs-x::data"}, "<logs-{now/d{yyyy.MM.dd|+01:00}}>": {"", "<logs-{now/d{yyyy.MM.dd|+01:00}}>"},
		"west:<logs-{now/d}>": {"west", "<logs-{now/d}>"},
	} {
		if cluster, index := elastic.SplitCluster(name); [2]string{cluster, index} != want {
			t.Errorf("%s: %q, %q", name, cluster, index)
		}
	}
}

// TestGrantable makes of names of a search what a role can name.
func TestGrantable(t *testing.T) {
	for name, want := range map[string]string{
		"logs-*": "logs-*", "-logs-old": "", "logs-x::data": "logs-x", "logs-x::failures": "logs-x", "*": "*",
		"<src-{now/d}>": "src-*", "<src-{now/d{yyyy.MM.dd|+01:00}}-x>": "src-*-x", "<{now/d}>": "*", "<src-*{now/d}>": "src-*", "<src-{now/d}*>": "src-*",
		"<a{now/d}b{now/M{yyyy}}c>": "a*b*c", `<a\{b\}-{now/d{'\{'yyyy}}>`: "a{b}-*", "<plain>": "plain", "<-{now/d}>": "-*",
		"<src-{now/d}>::failures": "src-*",
	} {
		got, failures := elastic.Grantable(name)
		if got != want || failures != strings.HasSuffix(name, "::failures") {
			t.Errorf("%s: %q, %t, want %q", name, got, failures, want)
		}
	}
}

// TestNoJSON sends nothing for a value that JSON cannot hold.
func TestNoJSON(t *testing.T) {
	client := elastic.NewClient(estest.ForTest(t), elastic.Options{})
	err := client.Do(t.Context(), esapi.BulkRequest{Body: elastic.JSON(func() {})}, &struct{}{})
	if requests, _ := client.Usage(); err == nil || !strings.Contains(err.Error(), "unsupported type: func()") || requests != 0 {
		t.Errorf("%v after %d requests", err, requests)
	}
}
