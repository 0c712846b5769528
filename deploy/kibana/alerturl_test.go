package kibana_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	"newterms/deploy/kibana"
)

// TestAlertURL opens a dashboard that is imported, in the space, filtered to the alert.
func TestAlertURL(t *testing.T) {
	objects, err := kibana.Objects(kibana.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for space, path := range map[string]string{"": "/base/app/dashboards", "default": "/base/app/dashboards", "soc": "/base/s/soc/app/dashboards"} {
		s := kibana.Space{URL: &url.URL{Scheme: "https", Host: "kibana.example:5601", Path: "/base"}, Name: space}
		u, err := url.Parse(s.AlertURL("0af", time.Date(2026, 3, 10, 13, 0, 0, 0, time.FixedZone("", 3600))))
		if err != nil || u.Path != path {
			t.Fatalf("%v, %v", u, err)
		}
		view, state, _ := strings.Cut(u.Fragment, "?")
		id := strings.TrimPrefix(view, "/view/")
		if !bytes.Contains(objects, []byte(`"id":"`+id+`"`)) {
			t.Errorf("there is no dashboard %s", id)
		}
		if want := `_g=(time:(from:'2026-03-10T11:00:00.000Z',to:'2026-03-10T13:00:00.000Z'))&_a=(query:(language:kuery,query:'kibana.alert.uuid:"0af"'))`; state != want {
			t.Errorf("got  %s\nwant %s", state, want)
		}
	}
}
