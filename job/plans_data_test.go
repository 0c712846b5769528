package job_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// benchData is deterministic Okta events in an index on the server. Most do not
// match the rule, as in production; those that do are as large as Okta's are. A
// server that is running already (ELASTICSEARCH_TEST_URL) keeps the index for
// the next time.
type benchData struct {
	events, days, shards int
	actors               int
	end                  time.Time  // of the newest event, exclusive
	zipf                 *rand.Zipf // of the actors of matching events
}

func (d benchData) index() string {
	return fmt.Sprintf("bench-zipf-%d-%d-%d-%d", d.events, d.days, d.shards, d.actors)
}

func (d benchData) load(b *testing.B, node *estest.Node) {
	b.Helper()
	if _, err := node.Request(context.Background(), "GET", "/"+d.index()+"-ready", nil); err == nil {
		node.Must(b, "POST", "/"+d.index()+"/_cache/clear", nil) // of the same windows, the last time
		return
	}
	keyword, date := map[string]any{"type": "keyword", "ignore_above": 1024}, map[string]any{"type": "date"}
	node.Must(b, "PUT", "/"+d.index(), map[string]any{
		"settings": map[string]any{"number_of_shards": d.shards, "number_of_replicas": 0, "refresh_interval": "-1", "translog": map[string]any{"durability": "async"}},
		"mappings": map[string]any{
			"dynamic_templates": []any{map[string]any{"text": map[string]any{"match_mapping_type": "string", "mapping": keyword}}},
			"properties": map[string]any{
				"@timestamp": date, "event": map[string]any{"properties": map[string]any{"ingested": date}},
				"okta": map[string]any{"properties": map[string]any{"target": map[string]any{"type": "flattened"}, "debug_context": map[string]any{"properties": map[string]any{
					"debug_data": map[string]any{"properties": map[string]any{"flattened": map[string]any{"type": "flattened"}}},
				}}}},
			},
		},
	})
	random := rand.New(rand.NewPCG(2026, uint64(d.events)))
	d.zipf = rand.NewZipf(random, 1.1, 20, uint64(d.actors-1))
	gap := time.Duration(d.days) * 24 * time.Hour / time.Duration(d.events)
	at := d.end.Add(-time.Duration(d.days) * 24 * time.Hour)
	client := elastic.NewClient(node, elastic.Options{Retry: elastic.DefaultRetry}) // a small heap turns some away
	var bulk bytes.Buffer
	for i := range d.events {
		bulk.WriteString("{\"index\":{}}\n")
		d.event(&bulk, random, at.Add(time.Duration(i)*gap))
		if bulk.Len() > 2<<20 || i == d.events-1 {
			var answer struct{ Errors bool }
			err := client.Do(b.Context(), esapi.BulkRequest{Index: d.index(), Body: bytes.NewReader(bulk.Bytes())}, &answer)
			if err != nil || answer.Errors {
				b.Fatalf("fill %s: %v", d.index(), err)
			}
			bulk.Reset()
		}
	}
	node.Must(b, "POST", "/"+d.index()+"/_refresh", nil)
	node.Must(b, "PUT", "/"+d.index()+"-ready", nil)
}

// event writes one line. One of twenty events matches. Some actors use proxies
// every few minutes, most now and then.
func (d benchData) event(w *bytes.Buffer, random *rand.Rand, at time.Time) {
	stamp := at.UTC().Format(millis)
	if random.IntN(20) > 0 {
		fmt.Fprintf(w, `{"@timestamp":%q,"event":{"ingested":%[1]q},"data_stream":{"dataset":"okta.system"},"okta":{"event_type":"user.authentication.sso","security_context":{"is_proxy":false},"actor":{"id":"00u%d"}},"cloud":{"account":{"id":"acc-%d"}}}`+"\n",
			stamp, random.IntN(d.actors), random.IntN(3))
		return
	}
	actor := int(d.zipf.Uint64())
	account := (actor + random.IntN(1+random.IntN(3))) % 20 // a few accounts, of which one is used most
	fmt.Fprintf(w, benchEvent, stamp, actor, account, random.IntN(256), random.Uint64())
}

// benchEvent is about 3.5 kB, most of it what Okta says of the request.
var benchEvent = strings.ReplaceAll(`{"@timestamp":%[1]q,"event":{"ingested":%[1]q,"action":"user.session.start","category":["authentication","session"],"dataset":"okta.system","kind":"event","module":"okta","outcome":"success","type":["start","user"],"original":"{\"actor\":\"kept as it came\"}"},
"data_stream":{"dataset":"okta.system","namespace":"default","type":"logs"},"cloud":{"account":{"id":"acc-%[3]d"},"provider":"aws","region":"eu-west-1"},"agent":{"id":"a1","name":"agent-1","type":"filebeat","version":"8.19.0"},
"client":{"ip":"203.0.113.%[4]d","user":{"id":"00u%[2]d","name":"user%[2]d@example.org","full_name":"User Number %[2]d"},"geo":{"city_name":"Zurich","country_name":"Switzerland","country_iso_code":"CH","region_name":"Zurich"},"as":{"number":64500,"organization":{"name":"Kestrel VPN"}}},
"source":{"ip":"203.0.113.%[4]d","user":{"id":"00u%[2]d","name":"user%[2]d@example.org"}},"user":{"name":"user%[2]d@example.org","full_name":"User Number %[2]d","id":"00u%[2]d"},"user_agent":{"name":"Chrome","original":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)","os":{"name":"Windows","version":"10"},"version":"131.0"},
"related":{"ip":["203.0.113.%[4]d"],"user":["user%[2]d@example.org","User Number %[2]d"]},"tags":["okta-system","forwarded"],"ecs":{"version":"8.11.0"},"input":{"type":"httpjson"},
"okta":{"actor":{"alternate_id":"user%[2]d@example.org","display_name":"User Number %[2]d","id":"00u%[2]d","type":"User"},"authentication_context":{"authentication_step":0,"external_session_id":"s%[5]d"},"client":{"device":"Computer","ip":"203.0.113.%[4]d","user_agent":{"browser":"CHROME","os":"Windows 10","raw_user_agent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)"},"zone":"null"},
"debug_context":{"debug_data":{"device_fingerprint":"f%[5]d","flattened":{"authnRequestId":"r%[5]d","behaviors":{"New Geo-Location":"NEGATIVE","New Device":"NEGATIVE","New IP":"POSITIVE","New State":"NEGATIVE","New Country":"NEGATIVE","Velocity":"NEGATIVE"},"deviceFingerprint":"f%[5]d","logOnlySecurityData":"{\"risk\":{\"level\":\"LOW\"}}","requestId":"q%[5]d","requestUri":"/api/v1/authn","risk":{"level":"LOW","reasons":"Anomalous Location"},"threatSuspected":"false","url":"/api/v1/authn?"},"request_id":"q%[5]d","request_uri":"/api/v1/authn","threat_suspected":"false","url":"/api/v1/authn?"}},
"display_message":"User login to Okta","event_type":"user.session.start","outcome":{"result":"SUCCESS"},"request":{"ip_chain":[{"geographical_context":{"city":"Zurich","country":"Switzerland"},"ip":"203.0.113.%[4]d","version":"V4"}]},"security_context":{"as":{"number":64500,"organization":{"name":"Kestrel VPN"}},"domain":"example.org","is_proxy":true,"isp":"Kestrel VPN"},
"target":[{"alternate_id":"app","display_name":"Dashboard","id":"0oa1","type":"AppInstance"},{"alternate_id":"unknown","display_name":"Password","id":"lae2","type":"AuthenticatorEnrollment"}],"transaction":{"id":"t%[5]d","type":"WEB"},"uuid":"u%[5]d"}}`, "\n", "") + "\n"
