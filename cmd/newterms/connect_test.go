package main

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"newterms/cmd/newterms/settings"
	"newterms/esquery/elastic"
)

// TestWhatIsSent looks at what reaches a server behind a proxy with a path of its
// own: each request as it was made, with the credentials, and asking for an answer
// that is not packed.
func TestWhatIsSent(t *testing.T) {
	var heard *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or nobody notices that the client has gone
		if heard = r; strings.Contains(r.URL.Path, "/slow/") {
			<-r.Context().Done()
		}
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		_, _ = w.Write([]byte(`{"_shards":{"total":1,"failed":0},"aggregations":{}}`))
	}))
	defer server.Close()
	search := func(ctx context.Context, index string, environ ...string) error {
		t.Helper()
		s, err := settings.Read(append(environ, "ELASTICSEARCH_URL="+server.URL+"/an%20es/"))
		if err != nil {
			t.Fatal(err)
		}
		client, err := program{settings: s, now: time.Now, retry: once}.connect()
		if err != nil {
			t.Fatal(err)
		}
		return client.Search(ctx, elastic.Search{Indices: []string{index}, Body: map[string]any{}}, &struct{}{})
	}
	key := base64.StdEncoding.EncodeToString([]byte("id:key"))
	for want, environ := range map[string][]string{
		"": nil, "APIKey " + key: {"ELASTICSEARCH_API_KEY=" + key},
		"Basic " + base64.StdEncoding.EncodeToString([]byte("ada:secret")): {"ELASTICSEARCH_USERNAME=ada", "ELASTICSEARCH_PASSWORD=secret"},
	} {
		if err := search(t.Context(), "<logs-{now/d}>", environ...); err != nil {
			t.Fatal(err)
		}
		path, _, _ := strings.Cut(heard.RequestURI, "?")
		if path != "/an%20es/%3Clogs-%7Bnow%2Fd%7D%3E/_search" || heard.Header.Get("Authorization") != want ||
			heard.Header.Get("Accept-Encoding") != "" || !strings.HasPrefix(heard.UserAgent(), "newterms/") {
			t.Errorf("got %s with %v", heard.RequestURI, heard.Header)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var timeout *elastic.TimeoutError
	if err := search(ctx, "slow", "NEWTERMS_REQUEST_TIMEOUT=50ms"); !errors.As(err, &timeout) || timeout.After != 50*time.Millisecond {
		t.Errorf("a server that does not answer: got %v", err)
	}
}
