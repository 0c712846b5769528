package check

import (
	"context"
	"fmt"
	"strings"

	"newterms/alerts/templates"
	"newterms/esquery/access"
)

func (s *commonCheck) targets(ctx context.Context) {
	states, err := s.Store.Inspect(ctx)
	exists := map[string]bool{}
	for _, state := range states {
		exists[state.Target] = state.Exists
	}
	for _, target := range []string{s.AlertsTarget, s.RunsTarget} {
		s.targetPrivileges(target, exists[target])
	}
	for _, state := range states {
		if !s.missing[access.Privilege{Index: state.Target, Name: "read"}] {
			s.target(state)
		}
	}
	if err != nil {
		s.fail("target", err)
	}
	s.hiddenTargets(ctx)
}

func (s *commonCheck) targetPrivileges(target string, exists bool) {
	var has []string
	for _, name := range targetPrivileges() {
		p := access.Privilege{Index: target, Name: name}
		switch err := (&access.PrivilegeError{Missing: p}); {
		case !s.missing[p]:
			has = append(has, name)
		case name == "auto_configure" && exists:
			s.warn("privileges", fmt.Errorf("%w: runs work, but could not create the data stream again if it were deleted", err))
		default:
			s.fail("privileges", err)
		}
	}
	if len(has) > 0 {
		s.ok("privileges", "%s on %s", strings.Join(has, ", "), target)
	}
}

func (s *commonCheck) target(state templates.TargetState) {
	for _, e := range state.Conflicts {
		if e.Kind == templates.Overridden && state.Exists && len(state.Differs) == 0 {
			s.warn("target", fmt.Errorf("%w: runs work until %s rolls over", e, state.Target))
		} else {
			s.fail("target", e)
		}
	}
	for _, p := range state.Pipelines {
		s.warn("target", p)
	}
	if len(state.Conflicts) > 0 {
		return
	}
	switch state.State {
	case templates.Missing:
		s.fail("target", problem(TemplateMissing, "the index template %s is missing", state.Template))
	case templates.Outdated:
		what := "the index template " + state.Template
		if len(state.Differs) > 0 {
			what = fmt.Sprintf("the mapping of %s (%s)", state.Target, access.FirstNames(state.Differs))
		}
		s.warn("target", problem(TemplateOutdated, "%s is of another version of newterms", what))
	case templates.Unknown:
		s.warn("target", problem(TemplateUnknown, "%s does not exist yet, and this user may not read index templates", state.Target))
	default:
		if by := state.SetUpBy; by != "" && by != templates.Mark(s.Version) {
			s.warn("target", problem(OtherVersion, "%s was set up by newterms %s, and this is newterms %s", state.Target, by, s.Version))
			return
		}
		message := state.Target + " is set up"
		if !state.Exists {
			message += "; the first write creates the data stream"
		}
		s.ok("target", "%s", message)
	}
}
