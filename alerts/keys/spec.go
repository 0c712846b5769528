// Package keys makes and invalidates the API keys of newterms, each with no more
// privileges than its use needs.
package keys

import (
	"fmt"
	"slices"
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
	Close  Use = "close"  // lists alerts, and changes their workflow status and assignees
	Notify Use = "notify" // makes the Kibana rules that notify, which go on with it
	// Compare reads events, alerts and runs, and what Kibana's own rules left behind.
	Compare Use = "compare"
)

// Uses are all that there are.
func Uses() []Use { return []Use{Run, Setup, Close, Notify, Compare} }

// A Spec is a key to be made.
type Spec struct {
	Use                      Use
	Name                     string
	Sources                  []string // names and patterns that runs read, cluster:index among them
	AlertsTarget, RunsTarget string
	// OfKibana are the names and patterns of Kibana's indices that Compare reads.
	OfKibana []string
	Space    string        // of Kibana
	Expires  time.Duration // 0 is the use's own: a day for Setup, never for the others
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
	role := dsl{"cluster": []string{}, "indices": s.here()}
	if remote, trusting := s.there(); len(remote) > 0 {
		role["indices"] = append(s.here(), trusting...)
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

// here is what a run or a comparison needs in this cluster.
func (s Spec) here() []dsl {
	var read, failures []string
	for _, source := range s.Sources {
		switch name, ofFailures := elastic.Grantable(source); {
		case name == "" || elastic.IsRemote(source):
		case ofFailures:
			failures = append(failures, name)
		default:
			read = append(read, name)
		}
	}
	sources, targets := reading(read, failures), []string{s.AlertsTarget, s.RunsTarget}
	if s.Use == Compare {
		return append(sources, grant(targets, "read"), grant(s.OfKibana, "read"))
	}
	return append(sources, grant(targets, "read", "create_doc", "auto_configure"))
}

// there is what they need in other clusters: as those take it that were connected
// with an API key, and as those do that trust this one's certificates. These know no
// such key, and take the rights that it has here, on indices of any cluster.
//
// https://www.elastic.co/docs/deploy-manage/remote-clusters/remote-clusters-cert
func (s Spec) there() (remote, trusting []dsl) {
	const besides = "read_cross_cluster"
	var read, failures []string
	for _, source := range s.Sources {
		cluster, index := elastic.SplitCluster(source)
		name, ofFailures := elastic.Grantable(index)
		if cluster == "" || name == "" || strings.HasPrefix(cluster, "-") {
			continue
		}
		entry := grant([]string{name}, "read", besides)
		if ofFailures {
			entry["privileges"] = []string{"read_failure_store", besides}
			failures = append(failures, name)
		} else {
			read = append(read, name)
		}
		entry["clusters"] = []string{cluster}
		remote = append(remote, entry)
	}
	return remote, reading(read, failures, besides)
}

// reading grants to read data and failure stores.
func reading(names, failures []string, besides ...string) []dsl {
	var entries []dsl
	if len(names) > 0 {
		entries = append(entries, grant(sortedOnce(names), append([]string{"read"}, besides...)...))
	}
	if len(failures) > 0 {
		entries = append(entries, grant(sortedOnce(failures), append([]string{"read_failure_store"}, besides...)...))
	}
	return entries
}

func sortedOnce(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
