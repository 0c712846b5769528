package fields

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		name, document, want string
		dropped              []string
	}{
		{"what fits stays", `{"client":{"ip":"2001:db8::1","port":443},"tags":["a",1,true],"okta":{"security_context":{"is_proxy":true}}}`, "", nil},
		{"what is not mapped stays", `{"mine":{"host":1},"client":{"mine":[{"a":1}]}}`, "", nil},
		{"numbers as text fit", `{"client":{"port":"443"},"okta":{"security_context":{"is_proxy":"false"}}}`, "", nil},
		{"whole numbers with a point fit", `{"client":{"port":443.0},"event":{"severity":"7.0"}}`, "", nil},
		{"dates fit", `{"event":{"created":"2026-03-10T12:00:00.123456789Z","start":1773144000005,"end":["2026-03","2026-03-10T12:00:00+01:00"]}}`, "", nil},
		{"an object where a value belongs", `{"user":{"name":{"first":"a"}}}`, `{"user":{}}`, []string{"user.name"}},
		{"a value where an object belongs", `{"host":"web-1","user":["a",{"name":"b"}]}`, `{"user":[{"name":"b"}]}`, []string{"host", "user"}},
		{"a dotted key through a value", `{"user.name.first":"a","user":{"name.first":"b"}}`, `{"user":{}}`, []string{"user.name.first"}},
		{"elements of a list", `{"related":{"ip":["192.0.2.1","nowhere","null"]}}`, `{"related":{"ip":["192.0.2.1"]}}`, []string{"related.ip"}},
		{"nothing of a list", `{"source":{"ip":["nowhere"]}}`, `{"source":{}}`, []string{"source.ip"}},
		{"types", `{"event":{"severity":"high","created":"soon"},"client":{"as":{"number":1.5}},"okta":{"device":{"managed":"maybe"},"target":"x"}}`,
			`{"event":{},"client":{"as":{}},"okta":{"device":{}}}`, []string{"client.as.number", "event.created", "event.severity", "okta.device.managed", "okta.target"}},
		{"flattened takes objects", `{"okta":{"target":[{"id":"a"},{"id":{"b":1}}],"request":{"ip_chain":[{"ip":"x"}]}}}`, "", nil},
		{"null is no value", `{"user":null,"client":{"ip":null}}`, "", nil},
		{"names that are none", `{"user":{"":"1"," ":{"a":1},"a..b":2,".":3,"c.":4,".d":5,"name":"x"},"mine":{"":[{"":1}]},"":0,"tags.":1}`,
			`{"user":{"name":"x"},"mine":{}}`, []string{"", "mine.", "tags.", "user.", "user. ", "user..", "user..d", "user.a..b", "user.c."}},
		{"names with a zero", `{"user":{"a\u0000":1,"name":"x"},"b\u0000c":2}`, `{"user":{"name":"x"}}`, []string{"b\x00c", "user.a\x00"}},
		{"a name in a list", `{"user":[{"":1},{"name":"x"}]}`, `{"user":[{},{"name":"x"}]}`, []string{"user."}},
		{"points", `{"client":{"geo":{"location":{"lat":1.5,"lon":-2}}},"source":{"geo":{"location":[-2,1.5]}},"server":{"geo":{"location":[[-2,1.5],"1.5,-2"]}}}`, "", nil},
		{"no points", `{"client":{"geo":{"location":{"lat":100,"lon":0}}},"source":{"geo":{"location":[1e400,9223372036854775808]}},"server":{"geo":{"location":"x"}},"destination":{"geo":{"location":[[1,2],[3]]}}}`,
			`{"client":{"geo":{}},"source":{"geo":{}},"server":{"geo":{}},"destination":{"geo":{}}}`,
			[]string{"client.geo.location", "destination.geo.location", "server.geo.location", "source.geo.location"}},
		{"points with more than Elasticsearch takes", `{"client":{"geo":{"location":{"lat":1,"lon":2,"alt":3}}},"source":{"geo":{"location":[1,2,3]}}}`, `{"client":{"geo":{}},"source":{"geo":{}}}`,
			[]string{"client.geo.location", "source.geo.location"}},
		{"longitude first in a list", `{"client":{"geo":{"location":[120,50]}},"source":{"geo":{"location":[50,120]}}}`, `{"client":{"geo":{"location":[120,50]}},"source":{"geo":{}}}`, []string{"source.geo.location"}},
		{"flattened as deep as Elasticsearch takes", `{"okta":{"target":` + nested(20, "1") + `}}`, "", nil},
		{"and deeper", `{"okta":{"target":` + nested(21, "1") + `}}`, `{"okta":{"target":` + nested(19, "{}") + `}}`, []string{"okta.target" + strings.Repeat(".a", 20)}},
		{"keys and values of flattened fields", `{"okta":{"target":{"a\u0000":1,"b":"x\u0000","c":"kept"}}}`, `{"okta":{"target":{"c":"kept"}}}`, []string{"okta.target.a\x00", "okta.target.b"}},
		{"an address with a zone", `{"client":{"ip":"fe80::1%eth0"}}`, `{"client":{}}`, []string{"client.ip"}},
		{"numbers beyond long", `{"client":{"port":99999999999999999999},"event":{"created":99999999999999999999}}`, `{"client":{},"event":{}}`, []string{"client.port", "event.created"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, want := decode(t, c.document), decode(t, c.document)
			if c.want != "" {
				want = decode(t, c.want)
			}
			dropped := Fit(got)
			if !reflect.DeepEqual(got, want) || !slices.Equal(dropped, c.dropped) {
				t.Errorf("got %v, dropped %v", got, dropped)
			}
		})
	}
}

// nested is JSON of a value in so many objects.
func nested(depth int, value string) string {
	return strings.Repeat(`{"a":`, depth) + value + strings.Repeat("}", depth)
}
