package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"newterms/alerts/runs"
)

// TestRulesOfAllKinds describes events of the kinds that Elastic's new-terms rules are
// about. The reason begins with who or what it is, and the new terms and investigation
// fields that no column shows are listed.
func TestRulesOfAllKinds(t *testing.T) {
	for _, c := range []struct {
		name          string
		fields        []string
		terms         []any
		investigation []any
		event         string
		reason        string // up to the new terms
		others        string // fields of no other column
	}{
		{"a process on a host", []string{"host.name", "process.name"}, []any{"srv-01", "powershell.exe"}, nil,
			`{"event":{"category":["process"],"action":"start"},"host":{"name":"srv-01"},"user":{"name":"alice"},"process":{"name":"powershell.exe","command_line":"powershell -nop","parent":{"name":"winword.exe"}}}`,
			"alice on srv-01, process powershell.exe (parent winword.exe)", ""},
		{"a process without a user", []string{"host.id", "process.executable"}, []any{"h-1", "/tmp/x"}, nil,
			`{"host":{"id":"h-1","name":"web-1"},"process":{"executable":"/tmp/x","name":"x","args":["/tmp/x","-d"]}}`,
			"web-1, process x", "host.id h-1; process.executable /tmp/x"},
		{"CloudTrail", []string{"aws.cloudtrail.user_identity.arn", "user_agent.original"}, []any{"arn:aws:iam::1:user/ci", "S3 Browser"},
			[]any{"@timestamp", "user.name", "source.ip", "aws.cloudtrail.request_parameters", "aws.cloudtrail.user_identity.arn", "cloud.account.id", "missing"},
			`{"user":{"name":"ci"},"source":{"ip":"198.51.100.7","as":{"organization":{"name":"Kestrel VPN"}}},"cloud":{"account":{"id":"218733041992"},"region":"eu-west-1"},"user_agent":{"original":"S3 Browser"},"event":{"action":"GetObject","outcome":"success"},"aws":{"cloudtrail":{"user_identity":{"arn":"arn:aws:iam::1:user/ci"},"request_parameters":"{bucket=b}"}}}`,
			"ci from 198.51.100.7 (Kestrel VPN)", "aws.cloudtrail.user_identity.arn arn:aws:iam::1:user/ci; aws.cloudtrail.request_parameters {bucket=b}"},
		{"GitHub", []string{"github.repo", "user.name"}, []any{"acme/app", "mona"}, nil,
			`{"user":{"name":"mona"},"github":{"repo":"acme/app"},"event":{"action":"git.clone"}}`, "mona", "github.repo acme/app"},
		{"Kubernetes", []string{"user_agent.original", "kubernetes.audit.annotations.authorization_k8s_io/decision"}, []any{"kubectl/1", "allow"}, nil,
			`{"user":{"name":"system:serviceaccount:x"},"user_agent":{"original":"kubectl/1"},"source":{"ip":["10.0.0.1","10.0.0.2"]},"event":{"outcome":"success"}}`,
			"system:serviceaccount:x from 10.0.0.1, 10.0.0.2", "kubernetes.audit.annotations.authorization_k8s_io/decision allow"},
		{"a network connection", []string{"process.executable", "destination.domain"}, []any{"curl", "gofile.example"}, nil,
			`{"host":{"name":"mac-1"},"process":{"executable":"curl"},"source":{"ip":"10.0.0.5","port":50000},"destination":{"ip":"2001:db8::1","port":443,"domain":"gofile.example"}}`,
			"mac-1 from 10.0.0.5, process curl, destination [2001:db8::1]:443 (gofile.example)", "destination.domain gofile.example"},
		{"the registry", []string{"registry.path"}, []any{`HKLM\Run\x`}, nil,
			`{"host":{"name":"pc-1"},"process":{"name":"reg.exe"},"registry":{"path":"HKLM\\Run\\x","data":{"strings":["x.exe"]}}}`, `pc-1, process reg.exe, registry HKLM\Run\x`, ""},
		{"a file", []string{"file.name", "host.id"}, []any{"cron.d", "h-2"}, nil,
			`{"host":{"id":"h-2"},"file":{"path":"/etc/cron.d","name":"cron.d"},"user":{"name":"root"}}`, "root on h-2, file /etc/cron.d", "file.name cron.d"},
		{"Windows security", []string{"winlog.event_data.SubjectUserName", "winlog.computer_name"}, []any{"svc$", "DC1"}, nil,
			`{"event":{"code":"4769"},"winlog":{"event_data":{"SubjectUserName":"svc$"},"computer_name":"DC1"}}`, "", "winlog.event_data.SubjectUserName svc$; winlog.computer_name DC1"},
		{"a container", []string{"container.id", "process.name"}, []any{"c0ffee", "nsenter"}, nil,
			`{"container":{"id":"c0ffee","name":"web","image":{"name":"nginx"}},"process":{"name":"nsenter"},"orchestrator":{"namespace":"shop"}}`,
			"process nsenter, container web (nginx)", "container.id c0ffee"},
		{"a sign-in to Entra", []string{"azure.signinlogs.properties.user_principal_name", "source.as.number"}, []any{"eve@example.org", json.Number("64510")}, nil,
			`{"source":{"ip":"203.0.113.9","as":{"number":64510,"organization":{"name":"Pear"}},"geo":{"city_name":"Dublin","country_name":"Ireland"}},"azure":{"signinlogs":{"properties":{"user_principal_name":"eve@example.org"}}}}`,
			"203.0.113.9 (Dublin, Ireland, Pear)", "azure.signinlogs.properties.user_principal_name eve@example.org; source.as.number 64510"},
		{"Okta, whose host is the collector's", []string{"okta.actor.id"}, []any{"00u1"}, []any{"okta.client.device", "host.name"},
			`{"okta":{"actor":{"id":"00u1","display_name":"Ada"},"client":{"ip":"192.0.2.1","device":"Computer"}},"host":{"name":"collector-1"}}`, "Ada from 192.0.2.1", "okta.client.device Computer; host.name collector-1"},
	} {
		for _, source := range []string{c.event, strings.Replace(c.event, "{", `{"odd":{"":1},`, 1)} { // copied, and decoded
			rule := testRule()
			rule["new_terms_fields"], rule["investigation_fields"] = c.fields, map[string]any{"field_names": c.investigation}
			m, err := NewMaker(rule, runs.Info{})
			if err != nil {
				t.Fatal(err)
			}
			key, err := NewKey("r1", c.fields, c.terms, firstSeen)
			if err != nil {
				t.Fatal(err)
			}
			a := m.Alert(Finding{Key: key, Terms: c.terms, Event: m.Event(SourceEvent{Index: "i", ID: "e", Source: []byte(source)})}, firstSeen)
			reason, _, _ := strings.Cut(fmt.Sprint(written(t, a)["kibana.alert.reason"]), "new "+c.fields[0])
			if got := strings.TrimSuffix(reason, ": "); got != c.reason {
				t.Errorf("%s: the reason begins with %q, want %q", c.name, got, c.reason)
			}
			var others []string
			for _, f := range a.Describe().Fields {
				others = append(others, f.Field+" "+f.Value)
			}
			if got := strings.Join(others, "; "); got != c.others {
				t.Errorf("%s: other fields %q, want %q", c.name, got, c.others)
			}
		}
	}
}
