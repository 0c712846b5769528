package alerts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// A TargetState says whether a target is ready to be written to.
type TargetState struct {
	Target, Template string
	Exists           bool // as a data stream or index; the first write makes it
	// Template is judged as Missing, Outdated or Current, by itself where the
	// user may read index templates, and else by the mapping of the target.
	// It is Unknown where there is neither.
	State string
	// Differs names mapped fields that the target lacks or has of another type,
	// sorted.
	Differs []string
}

// States of a template.
const (
	Missing  = "missing"
	Outdated = "outdated"
	Current  = "current"
	Unknown  = "unknown"
)

// Inspect tells for both targets, the alerts' first, whether Setup has been
// run. It needs the privilege read on the targets and no other, and changes
// nothing; without that privilege a target is as if it did not exist.
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
	state := TargetState{Target: target, Template: templateName(target), State: Unknown}
	did, err := s.compare(ctx, state.Template, t)
	var refused *ResponseError
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusForbidden:
	case err != nil:
		return state, fmt.Errorf("read index template %s: %w", state.Template, err)
	default:
		state.State = map[string]string{"installed": Missing, "updated": Outdated, "unchanged": Current}[did]
	}
	types, err := s.fieldTypes(ctx, target)
	if errors.As(err, &refused) && (refused.Status == http.StatusNotFound || refused.Status == http.StatusForbidden) {
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
	case len(state.Differs) > 0 && state.State != Missing:
		state.State = Outdated
	case state.State == Unknown:
		state.State = Current
	}
	return state, nil
}

// fieldTypes gives the type of each field, "" if backing indices disagree.
func (s *Store) fieldTypes(ctx context.Context, target string) (map[string]string, error) {
	var answer struct {
		Fields map[string]map[string]struct{} `json:"fields"`
	}
	if err := s.do(ctx, esapi.FieldCapsRequest{Index: []string{target}, Fields: []string{"*"}}, &answer); err != nil {
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
	State, Type string
	At          time.Time // when the document was written
	Error       string    // of a Failure
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
						State string    `json:"newterms.run.state"`
						Type  string    `json:"newterms.run.type"`
						Error string    `json:"error.message"`
					} `json:"_source"`
				} `json:"hits"`
			} `json:"hits"`
		} `json:"newest"`
	}
	if _, err := s.search(ctx, s.runsTarget, lastRunBody(ruleID), &answer); err != nil {
		return LastRun{}, false, fmt.Errorf("look up the last run: %w", err)
	}
	if len(answer.Newest.Hits.Hits) == 0 {
		return LastRun{}, false, nil
	}
	checkpoint, err := s.Checkpoint(ctx, ruleID)
	newest := answer.Newest.Hits.Hits[0].Source
	return LastRun{newest.State, newest.Type, newest.At, newest.Error, checkpoint.SucceededTo}, true, err
}

func lastRunBody(ruleID string) dsl {
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"term": dsl{"kibana.alert.rule.rule_id": ruleID}},
		"aggs": dsl{"newest": dsl{"top_hits": dsl{
			"size": 1, "sort": []dsl{{"newterms.run.started": "desc"}, {"@timestamp": "desc"}},
		}}},
	}
}
