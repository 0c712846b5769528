package elastic_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// sent is an answer of Elasticsearch, and keeps what was asked.
type sent struct {
	header http.Header
	bodies []string // one after the other, the last again and again
	asked  []string
}

func (s *sent) Perform(r *http.Request) (*http.Response, error) {
	asked := ""
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		asked = string(text)
	}
	text := s.bodies[min(len(s.asked), len(s.bodies)-1)]
	s.asked = append(s.asked, asked)
	header := s.header
	if header == nil {
		header = http.Header{"X-Elastic-Product": {"Elasticsearch"}}
	}
	return &http.Response{StatusCode: 200, Header: header, Body: body{strings.NewReader(text)}}, nil
}

// TestWhoAnswers takes an answer of nobody but Elasticsearch.
func TestWhoAnswers(t *testing.T) {
	for _, header := range []http.Header{{}, {"X-Elastic-Product": {"OpenSearch"}}, {"X-Elastic-Product": {"elasticsearch"}}} {
		err := elastic.NewClient(&sent{header: header, bodies: []string{"{}"}}, elastic.Options{}).Do(t.Context(), esapi.InfoRequest{}, &struct{}{})
		if !errors.Is(err, elastic.ErrOtherProduct) || !errors.Is(err, elastic.ErrIncomplete) {
			t.Errorf("%v: got %v", header, err)
		}
	}
}

// TestLargestAnswer is of 16 MB: of a larger one less is to be asked for.
func TestLargestAnswer(t *testing.T) {
	for more, tooMuch := range []bool{false, true} {
		text := "{}" + strings.Repeat(" ", 16<<20-2+more)
		err := elastic.NewClient(&sent{bodies: []string{text}}, elastic.Options{}).Do(t.Context(), esapi.InfoRequest{}, &struct{}{})
		if elastic.TooMuchToAnswer(err) != tooMuch || (err == nil) == tooMuch {
			t.Errorf("%d bytes: got %v", len(text), err)
		}
	}
}

// TestFewerShards notices an index that has gone between two searches.
func TestFewerShards(t *testing.T) {
	var bodies []string
	for _, shards := range []int{3, 3, 5, 4} {
		bodies = append(bodies, fmt.Sprintf(`{"_shards":{"total":%d,"failed":0},"aggregations":{}}`, shards))
	}
	client := elastic.NewClient(&sent{bodies: bodies}, elastic.Options{})
	var shards elastic.Shards
	for i, want := range []int{3, 3, 5, 5} {
		err := client.Search(t.Context(), elastic.Search{Indices: []string{"i"}, Body: map[string]any{}, Since: &shards}, &struct{}{})
		if errors.Is(err, elastic.ErrFewerShards) != (i == 3) || (err != nil) != (i == 3) || shards.Number() != want {
			t.Errorf("search %d: %d shards, %v", i, shards.Number(), err)
		}
	}
}

// TestShardFailed tells a failure that others of its kind may get through from one
// of the whole search.
func TestShardFailed(t *testing.T) {
	const shards = `{"error":{"type":"search_phase_execution_exception","reason":"","failed_shards":[{"index":"a","reason":{"type":"x"}}]}}`
	for _, c := range []struct {
		refusal refusing
		want    bool
	}{
		{refusing{500, shards}, true}, {refusing{400, shards}, true}, {refusing{403, shards}, false}, {refusing{404, shards}, false},
		{refusing{429, shards}, false}, {refusing{503, shards}, false}, {refusing{500, `{"error":{"type":"x"}}`}, false}, {refusing{500, ""}, false},
	} {
		err := elastic.NewClient(c.refusal, elastic.Options{}).Do(t.Context(), esapi.InfoRequest{}, &struct{}{})
		if elastic.ShardFailed(err) != c.want {
			t.Errorf("%d %s: %v", c.refusal.status, c.refusal.body, err)
		}
	}
}

// TestFewer asks for half as many hits as long as an index refuses, whatever it
// calls its limit.
func TestFewer(t *testing.T) {
	for _, setting := range []string{"index.max_result_window", "index.max_inner_result_window"} {
		for limit, want := range map[int][]int{100: {100}, 99: {100, 50}, 12: {100, 50, 25, 13, 7}, 1: {100, 50, 25, 13, 7, 4, 2, 1}, 0: {100, 50, 25, 13, 7, 4, 2, 1}} {
			var asked []int
			size := 100
			err := elastic.Fewer(&size, func(size int) error {
				if asked = append(asked, size); size <= limit {
					return nil
				}
				return &elastic.ResponseError{Status: 400, Cause: elastic.Cause{Type: "illegal_argument_exception", Reason: "too large: see [" + setting + "]"}}
			})
			if !slices.Equal(asked, want) || size != want[len(want)-1] || (err == nil) != (limit > 0) {
				t.Errorf("%s %d: asked %v, %v", setting, limit, asked, err)
			}
		}
	}
}

// TestPager asks for a page once more, and does not go round in a circle.
func TestPager(t *testing.T) {
	page := func(after string, buckets int) string {
		return fmt.Sprintf(`{"_shards":{"total":1,"failed":0},"aggregations":{"p":{"after_key":{"k":%q},"buckets":[%s]}}}`, after, strings.TrimSuffix(strings.Repeat("{},", buckets), ","))
	}
	transport := &sent{bodies: []string{page("a", 2), page("a", 2), page("b", 2), page("c", 2), page("c", 2)}}
	pager := elastic.Pager{Client: elastic.NewClient(transport, elastic.Options{}), Search: elastic.Search{Indices: []string{"i"}}, Size: 2, Body: func(size int, after json.RawMessage) any {
		return map[string]any{"size": size, "after": after}
	}}
	next := func() (bool, error) {
		var answer struct {
			P elastic.Composite[struct{}] `json:"p"`
		}
		return pager.Next(t.Context(), &answer, &answer.P)
	}
	for i, repeat := range []bool{true, false, true, false} {
		if ok, err := next(); !ok || err != nil {
			t.Fatalf("page %d: %t, %v", i, ok, err)
		}
		if repeat {
			pager.Repeat()
		}
	}
	if _, err := next(); !errors.Is(err, elastic.ErrIncomplete) || !strings.Contains(err.Error(), `page 3: incomplete answer: the page after {"k":"c"} ends where it began`) {
		t.Errorf("a page that does not move on: got %v", err)
	}
	want := []string{`{"after":null,"size":2}`, `{"after":null,"size":2}`, `{"after":{"k":"a"},"size":2}`, `{"after":{"k":"a"},"size":2}`, `{"after":{"k":"c"},"size":2}`}
	if !slices.Equal(transport.asked, want) {
		t.Errorf("asked %v", transport.asked)
	}
	pager = elastic.Pager{Client: elastic.NewClient(&sent{bodies: []string{page("a", 2), page("b", 1)}}, elastic.Options{}), Search: pager.Search, Size: 2, Body: pager.Body}
	for i, want := range []bool{true, true, false} {
		if ok, err := next(); ok != want || err != nil {
			t.Errorf("page %d: %t, %v", i, ok, err)
		}
	}
}

// TestRetryAfter waits as long as the server says, and not as it would by itself.
func TestRetryAfter(t *testing.T) {
	patient := func() []backoff.RetryOption {
		return []backoff.RetryOption{backoff.WithMaxTries(2), backoff.WithBackOff(backoff.NewConstantBackOff(24 * time.Hour))}
	}
	busy := &answering{answers: []refusing{{503, ""}, {200, "{}"}}}
	if err := elastic.NewClient(busy, elastic.Options{Retry: patient}).Do(t.Context(), esapi.InfoRequest{}, &struct{}{}); err != nil || busy.asked != 2 {
		t.Errorf("asked %d times: %v", busy.asked, err)
	}
}

// TestTooMuchMemory asks for less where a search needs too much, and waits for what
// else a server turns away for the memory that it has not got now.
func TestTooMuchMemory(t *testing.T) {
	breaker := refusing{429, `{"error":{"type":"circuit_breaking_exception","reason":"x"}}`}
	search, bulk := esapi.SearchRequest{Index: []string{"i"}}, esapi.BulkRequest{Body: strings.NewReader("{}\n")}
	for _, c := range []struct {
		request esapi.Request
		refusal refusing
		want    int
	}{{search, breaker, 1}, {search, refusing{429, ""}, 6}, {bulk, breaker, 6}} {
		busy := &answering{answers: []refusing{c.refusal}}
		if err := elastic.NewClient(busy, elastic.Options{Retry: elastic.DefaultRetry}).Do(t.Context(), c.request, &struct{}{}); err == nil || busy.asked != c.want {
			t.Errorf("%T %s: asked %d times, want %d: %v", c.request, c.refusal.body, busy.asked, c.want, err)
		}
	}
}

// TestRedirect tells where an answer leads, without what may be secret in it.
func TestRedirect(t *testing.T) {
	for status, redirects := range map[int]bool{299: false, 300: true, 301: true, 308: true, 399: true, 400: false} {
		res := &http.Response{StatusCode: status, Header: http.Header{"Location": {"https://ada:secret@login.example/in?token=secret#secret"}}}
		var redirect *elastic.RedirectError
		if err := elastic.Redirect(res); errors.As(err, &redirect) != redirects || redirects && redirect.To != "https://login.example/in" {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

// failing gives no answer.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// TestPlainTextToTLS ends as the system likes: with the end of the connection, or
// with its reset. Only one that was never made says nothing of TLS.
func TestPlainTextToTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	server.Config.ErrorLog = nil
	plain := strings.Replace(server.URL, "https:", "http:", 1)
	for _, c := range []struct {
		err  error
		want bool
	}{
		{io.EOF, true}, {errors.New("malformed HTTP response"), true}, {&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, true},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, false},
	} {
		req := httptest.NewRequestWithContext(t.Context(), "GET", plain, nil)
		_, err := elastic.CheckScheme(failing{c.err}).RoundTrip(req)
		var scheme *elastic.SchemeError
		if errors.As(err, &scheme) != c.want || c.want && scheme.Scheme != "https" || !c.want && !errors.Is(err, c.err) {
			t.Errorf("%v: got %v", c.err, err)
		}
	}
	req := httptest.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	var scheme *elastic.SchemeError
	if _, err := elastic.CheckScheme(failing{tls.RecordHeaderError{}}).RoundTrip(req); !errors.As(err, &scheme) || scheme.Scheme != "http" {
		t.Errorf("TLS to plain text: got %v", err)
	}
}

func TestNames(t *testing.T) {
	for name, cluster := range map[string]string{
		"logs-*": "", "emea:logs-*": "emea", "*:logs-*": "*", "logs-x::failures": "", "emea:logs-x::failures": "emea", "<logs-{now/d{yyyy.MM.dd|+01:00}}>": "",
	} {
		if got, index := elastic.SplitCluster(name); got != cluster || elastic.IsRemote(name) != (cluster != "") || strings.TrimPrefix(got+":"+index, ":") != name {
			t.Errorf("%s: got %q, %q", name, got, index)
		}
	}
	names := []string{"logs-*", "<logs-{now/d}>", "a%b", "a?b", "a#b", "a b", "emea:a,-b"}
	want := []string{"logs-*", "%3Clogs-%7Bnow%2Fd%7D%3E", "a%25b", "a%3Fb", "a%23b", "a%20b", "emea:a,-b"}
	if got := elastic.InPath(names); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestHasValueAt(t *testing.T) {
	value, err := elastic.Parse([]byte(`{"a":{"b":1,"n":null},"c":[1],"d.e":{"f":1},"o":{"p":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"a": true, "a.b": true, "a.b.text": true, "a.n": true, "a.x": false, "x": false, "c": true, "c.x": true, "d.e": true, "d.e.f": true, "d.e.f.g": true, "d.e.g": false, "d": false, "o.p.q": false,
	} {
		if elastic.HasValueAt(value.(map[string]any), path) != want {
			t.Errorf("%s: want %t", path, want)
		}
	}
}
