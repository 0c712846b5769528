package alerts

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A TargetState says whether a target is ready to be written to.
type TargetState struct {
	Target string
	Exists bool // as a data stream or index; if Setup could not create it, the first write does
	// Template is the name of the target's index template, and State its state:
	// by its version if the user may read index templates, and else by the
	// mapping of the target.
	Template string
	State    TemplateState
	// Differs names mapped fields that the target lacks or has of another type,
	// sorted.
	Differs []string
}

// A TemplateState says how an index template is to that of this program.
type TemplateState string

// The states of an index template.
const (
	TemplateMissing  TemplateState = "missing"
	TemplateOutdated TemplateState = "outdated" // of another version of newterms
	TemplateCurrent  TemplateState = "current"
	TemplateUnknown  TemplateState = "unknown" // the user may not see it, and there is no target to tell
)

// Inspect tells of both targets, the alerts target first, whether they are set
// up. It needs the privilege read on the targets and no other, and changes
// nothing; without that privilege a target looks as if it did not exist.
func (s *Store) Inspect(ctx context.Context) ([]TargetState, error) {
	var states []TargetState
	for _, target := range s.targets() {
		state, err := s.inspect(ctx, target.name, target.template)
		if err != nil {
			return states, err
		}
		states = append(states, state)
	}
	return states, nil
}

func (s *Store) inspect(ctx context.Context, target string, t template) (TargetState, error) {
	state := TargetState{Target: target, Template: templateName(target), State: TemplateUnknown}
	byVersion, err := s.templateState(ctx, state.Template, t)
	switch {
	case hasStatus(err, http.StatusForbidden):
	case err != nil:
		return state, fmt.Errorf("read index template %s: %w", state.Template, err)
	default:
		state.State = byVersion
	}
	types, err := s.fieldTypes(ctx, target)
	if hasStatus(err, http.StatusNotFound) || hasStatus(err, http.StatusForbidden) {
		return state, nil
	}
	if err != nil {
		return state, fmt.Errorf("field_caps %s: %w", target, err)
	}
	state.Exists = true
	for path, kind := range t.types {
		if kind != "object" && types[path] != kind {
			state.Differs = append(state.Differs, path)
		}
	}
	slices.Sort(state.Differs)
	switch {
	case len(state.Differs) > 0 && state.State != TemplateMissing:
		state.State = TemplateOutdated
	case state.State == TemplateUnknown:
		state.State = TemplateCurrent
	}
	return state, nil
}

// fieldTypes gives the type of each field, "" if backing indices disagree.
func (s *Store) fieldTypes(ctx context.Context, target string) (map[string]string, error) {
	var answer struct {
		Fields map[string]map[string]struct{} `json:"fields"`
	}
	if err := s.client.Do(ctx, esapi.FieldCapsRequest{Index: []string{target}, Fields: []string{"*"}}, &answer); err != nil {
		return nil, err
	}
	types := map[string]string{}
	for path, kinds := range answer.Fields {
		for kind := range kinds {
			if types[path] = kind; len(kinds) > 1 {
				types[path] = ""
			}
		}
	}
	return types, nil
}

// A LastRun is the newest run of a rule, as its newest document tells.
type LastRun struct {
	State RunState
	Type  RunType
	At    time.Time // when the document was written
	Error string    // of one that failed
	// Succeeded is the end of the window of the newest successful scheduled
	// run; zero if there is none.
	Succeeded time.Time
}

// LastRun reads the newest run of a rule; ok is false if there is none.
func (s *Store) LastRun(ctx context.Context, ruleID string) (last LastRun, ok bool, err error) {
	var answer struct {
		Newest struct {
			Hits struct {
				Hits []struct {
					Source struct {
						At    time.Time `json:"@timestamp"`
						State RunState  `json:"newterms.run.state"`
						Type  RunType   `json:"newterms.run.type"`
						Error string    `json:"error.message"`
					} `json:"_source"`
				} `json:"hits"`
			} `json:"hits"`
		} `json:"newest"`
		Succeeded struct {
			To maximum `json:"to"`
		} `json:"succeeded"`
	}
	search := elastic.Search{Indices: []string{s.runsTarget}, Body: lastRunBody(ruleID)}
	if err := s.client.Search(ctx, search, &answer); err != nil && !isMissing(err) {
		return LastRun{}, false, fmt.Errorf("look up the last run: %w", err)
	}
	if len(answer.Newest.Hits.Hits) == 0 {
		return LastRun{}, false, nil
	}
	newest := answer.Newest.Hits.Hits[0].Source
	return LastRun{newest.State, newest.Type, newest.At, newest.Error, answer.Succeeded.To.time()}, true, nil
}

func lastRunBody(ruleID string) dsl {
	succeeded := []dsl{{"term": dsl{"newterms.run.type": RunScheduled}}, {"term": dsl{"newterms.run.state": RunSucceeded}}}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}, {"exists": dsl{"field": "newterms.run.state"}}}}},
		"aggs": dsl{
			"newest": dsl{"top_hits": dsl{
				"size": 1, "sort": []dsl{{"newterms.run.started": "desc"}, {"@timestamp": "desc"}},
			}},
			"succeeded": dsl{
				"filter": dsl{"bool": dsl{"filter": succeeded}},
				"aggs":   dsl{"to": dsl{"max": dsl{"field": "newterms.window.to"}}},
			},
		},
	}
}
