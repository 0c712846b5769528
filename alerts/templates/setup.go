package templates

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// An Installed is the result of Setup for a target.
type Installed struct {
	Template, Target string
	// Was is the state that Setup found. Unless it is Current, Setup has
	// installed the template.
	Was State
	// Created reports that Setup has created the data stream.
	Created bool
	// Lacking is a *NoStreamError if there is no data stream yet.
	Lacking error
	// Pipelines are the ingest pipelines that each document goes through.
	Pipelines []Pipeline
}

// A NoStreamError reports that a data stream will only exist after the first write to
// it.
type NoStreamError struct{ Target string }

func (e *NoStreamError) Error() string {
	return fmt.Sprintf("the data stream %s does not exist yet, and this server has no API that creates it", e.Target)
}

// Setup installs the index templates of both targets. It creates their data streams, or
// updates the mappings of those that exist, and marks both with the version of this
// program. It changes nothing the second time. With an error it returns what it did
// before. The error joins a *TargetError for each conflict with a target.
func (ts *Targets) Setup(ctx context.Context, program string) ([]Installed, error) {
	templates, err := ts.templates(ctx)
	if err != nil {
		return nil, err
	}
	var all []Installed
	var conflicts []error
	for _, target := range ts.list() {
		target.template = target.template.markedBy(program)
		i, err := ts.setUp(ctx, target, templates)
		if i.Was != "" {
			all = append(all, i)
		}
		if err != nil {
			conflicts = append(conflicts, err)
		}
		if err != nil && !errors.As(err, new(*TargetError)) {
			break
		}
	}
	return all, errors.Join(conflicts...)
}

// setUp sets up a target. It leaves an index or alias of that name alone.
func (ts *Targets) setUp(ctx context.Context, t target, templates []installedTemplate) (Installed, error) {
	conflicts, err := ts.conflicts(ctx, t, templates)
	if err != nil {
		return Installed{}, err
	}
	found, err := ts.find(ctx, t)
	if err != nil {
		return Installed{}, err
	}
	if found.err != nil {
		conflicts = append(conflicts, found.err)
	}
	var conflict error
	mayInstall := true
	for _, e := range conflicts {
		conflict = errors.Join(conflict, e)
		mayInstall = mayInstall && e.Kind == Overridden
	}
	if !mayInstall {
		return Installed{}, conflict
	}
	i := Installed{Template: templateName(t.name), Target: t.name}
	if i.Was, err = ts.install(ctx, t, templates); err != nil || conflict != nil {
		return i, errors.Join(err, conflict)
	}
	i.Created, err = ts.prepare(ctx, t.name, t.template)
	if errors.As(err, new(*NoStreamError)) {
		i.Lacking, err = err, nil
	}
	if err == nil {
		i.Pipelines, err = ts.Pipelines(ctx, t.name)
	}
	return i, err
}

// install installs the template if needed, and returns the state that it found.
func (ts *Targets) install(ctx context.Context, t target, templates []installedTemplate) (State, error) {
	ours, was := t.ours(templates)
	if was == Current && ours.Template.Meta.Program != t.template.program {
		was = Outdated
	}
	if was != Current {
		body := maps.Clone(t.template.body)
		body["index_patterns"] = []string{t.name}
		name := templateName(t.name)
		request := esapi.IndicesPutIndexTemplateRequest{Name: name, Body: elastic.JSON(body)}
		if err := ts.client.Do(ctx, request, &struct{}{}); err != nil {
			return "", fmt.Errorf("put index template %s: %w", name, err)
		}
	}
	return was, nil
}

// prepare creates the data stream of a target, so that a dashboard finds its fields
// before the first alert. If it exists, prepare updates its mapping.
func (ts *Targets) prepare(ctx context.Context, target string, t template) (created bool, err error) {
	err = ts.client.Do(ctx, esapi.IndicesPutMappingRequest{Index: []string{target}, Body: elastic.JSON(t.mappings())}, &struct{}{})
	switch {
	case err == nil:
		return false, nil
	case !elastic.HasStatus(err, http.StatusNotFound):
		return false, fmt.Errorf("update the mapping of %s: %w", target, err)
	}
	err = ts.client.Do(ctx, esapi.IndicesCreateDataStreamRequest{Name: target}, &struct{}{})
	switch {
	case err == nil:
		return true, nil
	case elastic.HasNoHandler(err):
		return false, &NoStreamError{target}
	case elastic.HasCause(err, "resource_already_exists_exception"):
		return false, nil // created in the meantime
	}
	return false, fmt.Errorf("create data stream %s: %w", target, err)
}
