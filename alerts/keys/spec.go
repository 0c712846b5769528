// Package keys makes and invalidates the API keys of newterms, each with no more
// privileges than its use needs.
package keys

import (
	"fmt"
	"strings"
	"time"

	"newterms/esquery/elastic"
)

// A Use says what a key is for.
type Use string

// The uses of a key.
const (
	Run    Use = "run"    // runs and checks: reads events, creates alerts and run documents
	Setup  Use = "setup"  // installs templates and data streams, and dashboards in Kibana; lives for a day
	Close  Use = "close"  // changes the workflow status of alerts
	Notify Use = "notify" // makes the Kibana rules that notify, which go on with it
)

// Uses are all that there are.
func Uses() []Use { return []Use{Run, Setup, Close, Notify} }

// A Spec is a key to be made.
type Spec struct {
	Use                      Use
	Name                     string
	Sources                  []string // names and patterns that runs read, cluster:index among them
	AlertsTarget, RunsTarget string
	Space                    string        // of Kibana
	Expires                  time.Duration // 0 is the use's own: a day for Setup, never for the others
}

// application marks the keys of newterms in their metadata.
const application = "newterms"

type dsl = map[string]any

// Body is the request that makes the key.
func (s Spec) Body() map[string]any {
	body := dsl{
		"name":             s.Name,
		"role_descriptors": dsl{"newterms_" + string(s.Use): s.role()},
		"metadata":         dsl{"application": application},
	}
	switch {
	case s.Expires > 0:
		body["expiration"] = fmt.Sprintf("%ds", int64(s.Expires.Seconds()))
	case s.Use == Setup:
		body["expiration"] = "1d"
	}
	return body
}

// role grants what the use needs, and nothing else.
func (s Spec) role() dsl {
	both := []string{s.AlertsTarget, s.RunsTarget}
	switch s.Use {
	case Setup:
		return dsl{
			"cluster":      []string{"manage_index_templates"},
			"indices":      []dsl{grant(both, "manage")},
			"applications": []dsl{s.inKibana("feature_savedObjectsManagement.all")},
		}
	case Close:
		return dsl{"cluster": []string{}, "indices": []dsl{grant([]string{s.AlertsTarget}, "read", "index")}}
	case Notify:
		return dsl{
			"cluster":      []string{},
			"indices":      []dsl{grant(both, "read")},
			"applications": []dsl{s.inKibana("feature_stackAlerts.all", "feature_actions.read")},
		}
	}
	var indices []dsl
	local, remote := s.sources()
	if len(local) > 0 {
		indices = append(indices, grant(local, "read"))
	}
	role := dsl{"cluster": []string{}, "indices": append(indices, grant(both, "read", "create_doc", "auto_configure"))}
	if len(remote) > 0 {
		role["remote_indices"] = remote
	}
	return role
}

func grant(names []string, privileges ...string) dsl {
	return dsl{"names": names, "privileges": privileges}
}

func (s Spec) inKibana(privileges ...string) dsl {
	return dsl{"application": "kibana-.kibana", "privileges": privileges, "resources": []string{"space:" + s.Space}}
}

// sources keeps those of other clusters apart. An exclusion (-index) needs no
// right.
func (s Spec) sources() (local []string, remote []dsl) {
	for _, source := range s.Sources {
		cluster, index := elastic.SplitCluster(source)
		switch {
		case strings.HasPrefix(source, "-"):
		case cluster != "":
			remote = append(remote, dsl{"clusters": []string{cluster}, "names": []string{index}, "privileges": []string{"read", "read_cross_cluster"}})
		default:
			local = append(local, source)
		}
	}
	return local, remote
}
