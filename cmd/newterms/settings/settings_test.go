package settings

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/job/exclusion"
)

func TestEncodedKey(t *testing.T) {
	const pair = "VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw"
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	encoded := encode(pair)
	for _, c := range []struct{ name, given, want string }{
		{"as Elasticsearch returned it", encoded, encoded},
		{"with a newline", encoded + "\r\n", encoded},
		{"in quotes", `"` + encoded + `"`, encoded},
		{"in a header's form", "ApiKey " + encoded, encoded},
		{"in another case", "apikey  " + encoded, encoded},
		{"id and key", pair, encoded},
		{"encoded twice", encode(encoded), encoded},
		{"encoded three times, in quotes", "'" + encode(encode(encoded)) + "'", encoded},
		{"none", "", ""},
		{"only the key", "ui2lp2axTNmsyakw9tvNnw", "set it to the `encoded` value that Elasticsearch returned"},
		{"base64 of something else", encode("hello"), "is no API key"},
		{"base64 of bytes", "/////w==", "is no API key"},
		{"words", "my key", "is no API key"},
		{"half a pair", "id:", "is no API key"},
		{"cut off", encoded[:20], "is no API key"},
	} {
		got, err := encodedKey("ELASTICSEARCH_API_KEY", c.given)
		if err != nil {
			got = err.Error()
			if strings.Contains(got, "ui2lp2axTNmsyakw9tvNnw") || !isError(err) {
				t.Errorf("%s: %s", c.name, got)
			}
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	cloud := "prod:" + base64.StdEncoding.EncodeToString([]byte("eu-west-1.aws.example.com$abc123$def456"))
	port := "prod:" + base64.StdEncoding.EncodeToString([]byte("cloud.example.com:9243$abc123"))
	for _, c := range []struct {
		name    string
		environ string
		want    string // URLs, or a part of the error
	}{
		{"as it should be", "ELASTICSEARCH_URL=https://es.example:9200", "https://es.example:9200"},
		{"a slash at the end", "ELASTICSEARCH_URL=https://es.example:9200/", "https://es.example:9200"},
		{"a slash behind a path", "ELASTICSEARCH_URL=https://es.example/es//", "https://es.example/es"},
		{"spaces and a newline", "ELASTICSEARCH_URL= https://a.example:1 , https://b.example:2/\n", "https://a.example:1 https://b.example:2"},
		{"a Cloud ID", "ELASTICSEARCH_CLOUD_ID=" + cloud + "\n", "https://abc123.eu-west-1.aws.example.com:443"},
		{"a Cloud ID with a port", "ELASTICSEARCH_CLOUD_ID=" + port, "https://abc123.cloud.example.com:9243"},
		{"a Cloud ID as the URL", "ELASTICSEARCH_URL=" + cloud, "https://abc123.eu-west-1.aws.example.com:443"},
		{"a Cloud ID that is none", "ELASTICSEARCH_CLOUD_ID=prod", "ELASTICSEARCH_CLOUD_ID is no Cloud ID"},
		{"a Cloud ID of nothing", "ELASTICSEARCH_CLOUD_ID=prod:" + base64.StdEncoding.EncodeToString([]byte("host$")), "is no Cloud ID"},
		{"no scheme", "ELASTICSEARCH_URL=es.example:9200", "address 1 is not a URL"},
	} {
		s, err := Read([]string{c.environ})
		if err != nil {
			t.Fatal(c.name, err)
		}
		urls, err := s.addresses()
		var got []string
		for _, u := range urls {
			got = append(got, u.String())
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if text := strings.Join(got, " "); text != c.want && (err == nil || !strings.Contains(text, c.want)) {
			t.Errorf("%s: got %s, want %s", c.name, text, c.want)
		}
	}
	s, err := Read([]string{"ELASTICSEARCH_URL=https://es.example", "ELASTICSEARCH_CLOUD_ID=" + cloud})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.addresses(); err == nil || !strings.Contains(err.Error(), "both set") {
		t.Errorf("got %v", err)
	}
}

// TestExcludeOverLines has values that two lines make.
func TestExcludeOverLines(t *testing.T) {
	const text = "okta.actor.id: alice\nbob"
	_, err := exclusion.Parse(text)
	_, settingErr := Read([]string{"NEWTERMS_EXCLUDE=" + text})
	for _, err := range []error{err, settingErr} {
		if err == nil || !strings.Contains(err.Error(), `"alice\nbob" continues on the next line: write FIELD: (one or other)`) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := Read([]string{"NEWTERMS_EXCLUDE=okta.actor.id: (alice or\n  bob)\n  and not a: \"b\nc\"\n"}); err != nil {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	s, err := Read([]string{"NEWTERMS_NAMESPACE=soc-emea\n", "NEWTERMS_INDEX= a , b\n", "NEWTERMS_OVERLAP=3m\n", "NEWTERMS_REQUEST_TIMEOUT=1d"})
	if err != nil {
		t.Fatal(err)
	}
	if s.AlertsTarget != ".alerts-newterms.detections-soc-emea" || s.RunsTarget != ".alerts-newterms.runs-soc-emea" {
		t.Errorf("got %s, %s", s.AlertsTarget, s.RunsTarget)
	}
	if !slices.Equal(s.Index, []string{"a", "b"}) || time.Duration(s.Overlap) != 3*time.Minute || time.Duration(s.RequestTimeout) != 24*time.Hour {
		t.Errorf("got %+v", s)
	}
	if s, err := Read([]string{"NEWTERMS_NAMESPACE=soc", "NEWTERMS_RUNS_TARGET=runs"}); err != nil || s.RunsTarget != "runs" || s.AlertsTarget != ".alerts-newterms.detections-soc" {
		t.Errorf("got %s, %s, %v", s.AlertsTarget, s.RunsTarget, err)
	}
	for environ, want := range map[string]string{
		"NEWTERMS_ALERTS_TARGET=.alerts-newterms.runs-default": "both .alerts-newterms.runs-default",
		"NEWTERMS_REQUEST_TIMEOUT=0s":                          "0 would end each request at once",
		"NEWTERMS_EXCLUDE=\n":                                  "blank, which would exclude every event",
		"NEWTERMS_RULES= ,":                                    `NEWTERMS_RULES: " ," names nothing`,
		"NEWTERMS_INDEX=\n":                                    `NEWTERMS_INDEX: "\n" names nothing`,
		"NEWTERMS_NAMESPACE=A":                                 `".alerts-newterms.detections-A" is not the name of one data stream`,
		"NEWTERMS_MAX_CATCHUP=1m":                              "not longer than NEWTERMS_OVERLAP",
		"NEWTERMS_INDEX=" + strings.Repeat("logs-okta.system-tenant,", 200): "200 names and patterns take 4800 bytes",
	} {
		if _, err := Read([]string{environ}); err == nil || !strings.Contains(err.Error(), want) || !isError(err) {
			t.Errorf("%.60s: got %v, want %s", environ, err, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, setting := range []string{"NEWTERMS_MAX_ALERTS=-1", "NEWTERMS_MAX_ALERTS=many", "NEWTERMS_CONCURRENCY=70000", "NEWTERMS_CONCURRENCY=1.5"} {
		name, value, _ := strings.Cut(setting, "=")
		if _, err := Read([]string{setting}); err == nil || !isError(err) || err.Error() != name+": \""+value+"\" is no whole number from 0 up, or too large" {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func isError(err error) bool {
	var e *Error
	return errors.As(err, &e)
}
