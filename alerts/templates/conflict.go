package templates

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A TargetError reports that a template, index or alias of somebody else conflicts with
// a target. Setup does not change it.
type TargetError struct {
	Target string
	Kind   ErrorKind
	// Template is the conflicting index template; "" for none.
	Template string
	text     string
}

func (e *TargetError) Error() string { return e.text }

// An ErrorKind is a kind of conflict with a target.
type ErrorKind string

// The kinds of conflicts.
const (
	SamePriority ErrorKind = "same priority" // a matching index template has it: ours is refused
	Overridden   ErrorKind = "overridden"    // a matching index template has a higher one
	NoStream     ErrorKind = "no stream"     // an index or alias has the name
	OtherMapping ErrorKind = "other mapping" // a data stream with another mapping has the name
)

// An installedTemplate is the relevant part of an index template in the cluster.
type installedTemplate struct {
	Name     string `json:"name"`
	Template struct {
		Patterns   []string  `json:"index_patterns"`
		Priority   int64     `json:"priority"`
		Version    float64   `json:"version"`
		DataStream *struct{} `json:"data_stream"`
		Meta       struct {
			Program string `json:"newterms_version"`
		} `json:"_meta"`
	} `json:"index_template"`
}

// templates lists all index templates of the cluster: a conflicting one can have any
// name.
func (ts *Targets) templates(ctx context.Context) ([]installedTemplate, error) {
	var answer struct {
		Templates []installedTemplate `json:"index_templates"`
	}
	wanted := []string{"index_templates.name"}
	for _, name := range []string{"index_patterns", "priority", "version", "data_stream", "_meta.newterms_version"} {
		wanted = append(wanted, "index_templates.index_template."+name)
	}
	err := ts.client.Do(ctx, esapi.IndicesGetIndexTemplateRequest{FilterPath: wanted}, &answer)
	if err != nil && !elastic.HasStatus(err, http.StatusNotFound) {
		return nil, fmt.Errorf("read index templates: %w", err)
	}
	return answer.Templates, nil
}

// ours returns the target's template in the cluster, and its state.
func (t target) ours(all []installedTemplate) (installedTemplate, State) {
	i := slices.IndexFunc(all, func(one installedTemplate) bool { return one.Name == templateName(t.name) })
	switch {
	case i < 0:
		return installedTemplate{}, Missing
	case all[i].Template.Version == t.template.body["version"]:
		return all[i], Current
	}
	return all[i], Outdated
}

// conflicting returns other people's templates that match the target with the priority of
// ours. If the highest priority is higher than ours, the template that has it comes
// first.
func (t target) conflicting(all []installedTemplate) (others []installedTemplate, priority int64) {
	priority = int64(t.template.body["priority"].(float64))
	if ours, state := t.ours(all); state == Current { // its priority may have been raised
		priority = ours.Template.Priority
	}
	highest := priority
	for _, one := range all {
		p := one.Template.Priority
		switch {
		case one.Name == templateName(t.name) || !slices.ContainsFunc(one.Template.Patterns, func(p string) bool { return matchesPattern(p, t.name) }):
		case p == priority:
			others = append(others, one)
		case p > highest:
			others = slices.DeleteFunc(others, func(r installedTemplate) bool { return r.Template.Priority > priority })
			others, highest = append(others, one), p
		}
	}
	slices.SortFunc(others, func(a, b installedTemplate) int {
		return cmp.Or(cmp.Compare(b.Template.Priority, a.Template.Priority), strings.Compare(a.Name, b.Name))
	})
	return others, priority
}

// matchesPattern reports whether a name matches a pattern, in which * matches anything.
func matchesPattern(pattern, name string) bool {
	first, rest, isPattern := strings.Cut(pattern, "*")
	if !isPattern {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	for ok && strings.Contains(rest, "*") {
		var piece string
		piece, rest, _ = strings.Cut(rest, "*")
		_, name, ok = strings.Cut(name, piece)
	}
	return ok && strings.HasSuffix(name, rest)
}

// conflicts returns the errors about other people's templates that override the
// target's, or prevent its installation. It ignores those with the same effect on the
// target.
func (ts *Targets) conflicts(ctx context.Context, t target, all []installedTemplate) ([]*TargetError, error) {
	var conflicts []*TargetError
	others, priority := t.conflicting(all)
	for _, other := range others {
		e := &TargetError{Target: t.name, Kind: SamePriority, Template: other.Name}
		patterns := strings.Join(other.Template.Patterns, ", ")
		if other.Template.Priority == priority {
			e.text = fmt.Sprintf("the index template %s (of %s) has the priority %d, as that of newterms for %s: Elasticsearch takes no two of them",
				other.Name, patterns, priority, t.name)
			conflicts = append(conflicts, e)
			continue
		}
		lacks := "makes no data stream"
		if other.Template.DataStream != nil {
			lacking, err := ts.missingFields(ctx, t)
			if err != nil {
				return nil, err
			}
			if len(lacking) == 0 {
				continue
			}
			lacks = "does not map " + abbreviated(lacking) + " as newterms does"
		}
		e.Kind, e.text = Overridden, fmt.Sprintf("the index template %s (of %s, priority %d) takes the place of that of newterms (priority %d) for %s, and %s",
			other.Name, patterns, other.Template.Priority, priority, t.name, lacks)
		conflicts = append(conflicts, e)
	}
	return conflicts, nil
}

// missingFields lists the fields that a new index of the target's name would not map as
// its template does, sorted.
func (ts *Targets) missingFields(ctx context.Context, t target) ([]string, error) {
	var answer struct {
		Template struct {
			Mappings map[string]any `json:"mappings"`
		} `json:"template"`
	}
	request := esapi.IndicesSimulateIndexTemplateRequest{Name: t.name, FilterPath: []string{"template.mappings"}}
	if err := ts.client.Do(ctx, request, &answer); err != nil {
		return nil, fmt.Errorf("ask which index template %s would have: %w", t.name, err)
	}
	types := map[string]string{}
	collectTypes(answer.Template.Mappings, "", types)
	lacking, _ := t.template.differs(types)
	return lacking, nil
}

// abbreviated returns the first three names of a list, and how many more there are.
func abbreviated(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// IsOtherMapping reports whether a target cannot be searched because one of our fields
// is missing there or has another type.
func IsOtherMapping(err error) bool {
	var refused *elastic.ResponseError
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
		return false
	}
	for cause := range refused.All() {
		for _, text := range []string{"Fielddata is disabled on [", "No mapping found for ["} {
			if field, ok := strings.CutPrefix(cause.Reason, text); ok && (strings.HasPrefix(field, "newterms.") || strings.HasPrefix(field, "kibana.alert.")) {
				return true
			}
		}
	}
	return false
}
