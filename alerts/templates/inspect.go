package templates

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A TargetState is whether a target is ready for writes.
type TargetState struct {
	Target string
	Exists bool // as a data stream or index; otherwise the first write creates it
	// Template is the name of the target's index template. State compares its version
	// with ours, if the user may read index templates, and otherwise the mapping of the
	// target.
	Template string
	State    State
	// SetUpBy is the version of the program that last set the target up, as its mapping
	// or template says; "" if neither does, as before that version was kept.
	SetUpBy string
	// Differs lists mapped fields that the target lacks or has with another type,
	// sorted.
	Differs []string
	// Conflicts are other people's templates and indices that conflict with the target.
	Conflicts []*TargetError
	// Pipelines are the ingest pipelines that each document goes through, as far as
	// this user may see them.
	Pipelines []Pipeline
}

// A State compares an index template with that of this program.
type State string

// The states of an index template.
const (
	Missing  State = "missing"
	Outdated State = "outdated" // of another version of newterms
	Current  State = "current"
	Unknown  State = "unknown" // the user may not read it, and there is no target
)

// Inspect returns the state of both targets, the alerts target first. It needs only the
// privilege read on the targets, and changes nothing. Without that privilege a target
// seems not to exist. It finds other people's index templates only if the user may read
// index templates.
func (ts *Targets) Inspect(ctx context.Context) ([]TargetState, error) {
	all, err := ts.templates(ctx)
	mayRead := !elastic.HasStatus(err, http.StatusForbidden)
	if err != nil && mayRead {
		return nil, err
	}
	var states []TargetState
	for _, t := range ts.list() {
		state := TargetState{Target: t.name, Template: templateName(t.name), State: Unknown}
		if mayRead {
			ours, isOurs := t.ours(all)
			state.State, state.SetUpBy = isOurs, ours.Template.Meta.Program
			if state.Conflicts, err = ts.conflicts(ctx, t, all); err != nil {
				return states, err
			}
		}
		if err := ts.inspect(ctx, t, &state); err != nil {
			return states, err
		}
		if state.Pipelines, err = ts.Pipelines(ctx, t.name); err != nil {
			return states, err
		}
		states = append(states, state)
	}
	return states, nil
}

// inspect sets the state from the index or data stream with the target's name.
func (ts *Targets) inspect(ctx context.Context, t target, state *TargetState) error {
	found, err := ts.find(ctx, t)
	if elastic.HasStatus(err, http.StatusForbidden) {
		return nil
	}
	if err != nil || !found.exists {
		return err
	}
	state.Exists, state.Differs = true, found.differs
	state.SetUpBy = cmp.Or(state.SetUpBy, found.setUpBy)
	if found.err != nil {
		state.Conflicts = append(state.Conflicts, found.err)
	}
	switch {
	case len(state.Differs) > 0 && state.State != Missing:
		state.State = Outdated
	case state.State == Unknown:
		state.State = Current
	}
	return nil
}

// existing describes the index or data stream with the name of a target.
type existing struct {
	exists  bool
	differs []string     // as in TargetState
	setUpBy string       // as in TargetState, from the mapping
	err     *TargetError // set if it is of the wrong kind
}

func (ts *Targets) find(ctx context.Context, t target) (existing, error) {
	types, setUpBy, err := ts.fieldTypes(ctx, t.name)
	if elastic.HasStatus(err, http.StatusNotFound) {
		return existing{}, nil
	}
	if err != nil {
		return existing{}, fmt.Errorf("field_caps %s: %w", t.name, err)
	}
	f := existing{exists: true, setUpBy: setUpBy}
	var others []string
	f.differs, others = t.template.differs(types)
	switch what, err := ts.kindOf(ctx, t.name); {
	case err != nil && !elastic.HasStatus(err, http.StatusForbidden): // otherwise the first write reports it
		return f, fmt.Errorf("resolve %s: %w", t.name, err)
	case what != "":
		f.err = &TargetError{Target: t.name, Kind: NoStream, text: fmt.Sprintf("%s is %s, and newterms writes to a data stream", t.name, what)}
	case len(others) > 0:
		f.err = &TargetError{Target: t.name, Kind: OtherMapping, text: fmt.Sprintf(
			"the data stream %s was not made by the index template of newterms: it has another type for %s", t.name, abbreviated(others))}
	}
	return f, nil
}

// kindOf returns what a name is instead of a data stream; "" if it is one.
func (ts *Targets) kindOf(ctx context.Context, name string) (string, error) {
	var answer struct {
		Indices []struct{} `json:"indices"`
		Aliases []struct {
			Indices []string `json:"indices"`
		} `json:"aliases"`
	}
	err := ts.client.Do(ctx, esapi.IndicesResolveIndexRequest{Name: []string{name}}, &answer)
	switch {
	case err != nil:
		return "", err
	case len(answer.Indices) > 0:
		return "an index", nil
	case len(answer.Aliases) > 0 && !strings.Contains(strings.Join(answer.Aliases[0].Indices, ","), ".ds-"):
		return "an alias of " + abbreviated(answer.Aliases[0].Indices), nil
	}
	return "", nil
}

// differs returns the fields that are mapped otherwise than by the template, sorted.
// others are those of them with another type in every index. Setup can add a field, but
// not change its type.
func (t template) differs(types map[string]string) (differs, others []string) {
	for path, kind := range t.types {
		if kind == "object" || types[path] == kind {
			continue
		}
		differs = append(differs, path)
		if types[path] != "" {
			others = append(others, path)
		}
	}
	slices.Sort(differs)
	slices.Sort(others)
	return differs, others
}

// Fields returns the type of each field of the alerts target, for compiling queries;
// "object" for parents.
func (ts *Targets) Fields(ctx context.Context) (map[string]string, error) {
	types, _, err := ts.fieldTypes(ctx, ts.alerts)
	if err != nil {
		return nil, fmt.Errorf("field_caps %s: %w", ts.alerts, err)
	}
	return types, nil
}

// fieldTypes returns the type of each field, "" if backing indices disagree. setUpBy is
// the version that the mapping names, or the versions of several backing indices.
func (ts *Targets) fieldTypes(ctx context.Context, target string) (types map[string]string, setUpBy string, err error) {
	var answer struct {
		Fields map[string]map[string]struct {
			Meta struct {
				Program []string `json:"newterms_version"`
			} `json:"meta"`
		} `json:"fields"`
	}
	if err := ts.client.Do(ctx, esapi.FieldCapsRequest{Index: []string{target}, Fields: []string{"*"}}, &answer); err != nil {
		return nil, "", err
	}
	for _, marked := range answer.Fields[markedField] {
		setUpBy = strings.Join(marked.Meta.Program, ", ")
	}
	types = map[string]string{}
	for path, kinds := range answer.Fields {
		for kind := range kinds {
			if types[path] = kind; len(kinds) > 1 {
				types[path] = ""
			}
		}
	}
	return types, setUpBy, nil
}
