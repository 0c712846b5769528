package alerts

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/elastic/go-elasticsearch/v8/esapi"
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
