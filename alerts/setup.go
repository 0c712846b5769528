package alerts

import (
	"bytes"
	"context"
	"encoding/json"
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
	// Was is the state that Setup found. Unless it is TemplateCurrent, Setup has
	// installed the template.
	Was TemplateState
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
// updates the mappings of those that exist. It changes nothing the second time. With an
// error it returns what it did before. The error joins a *TargetError for each conflict
// with a target.
func (s *Store) Setup(ctx context.Context) ([]Installed, error) {
	templates, err := s.templates(ctx)
	if err != nil {
		return nil, err
	}
	var all []Installed
	var obstacles []error
	for _, target := range s.targets() {
		i, err := s.setUp(ctx, target, templates)
		if i.Was != "" {
			all = append(all, i)
		}
		if err != nil {
			obstacles = append(obstacles, err)
		}
		if err != nil && !errors.As(err, new(*TargetError)) {
			break
		}
	}
	return all, errors.Join(obstacles...)
}

// setUp sets up a target. It leaves an index or alias of that name alone.
func (s *Store) setUp(ctx context.Context, t target, templates []installedTemplate) (Installed, error) {
	obstacles, err := s.overlaps(ctx, t, templates)
	if err != nil {
		return Installed{}, err
	}
	found, err := s.look(ctx, t)
	if err != nil {
		return Installed{}, err
	}
	if found.obstacle != nil {
		obstacles = append(obstacles, found.obstacle)
	}
	var inTheWay error
	mayInstall := true
	for _, o := range obstacles {
		inTheWay = errors.Join(inTheWay, o)
		mayInstall = mayInstall && o.Kind == Overridden
	}
	if !mayInstall {
		return Installed{}, inTheWay
	}
	i := Installed{Template: templateName(t.name), Target: t.name}
	if i.Was, err = s.install(ctx, t, templates); err != nil || inTheWay != nil {
		return i, errors.Join(err, inTheWay)
	}
	i.Created, err = s.prepare(ctx, t.name, t.template)
	if errors.As(err, new(*NoStreamError)) {
		i.Lacking, err = err, nil
	}
	if err == nil {
		i.Pipelines, err = s.Pipelines(ctx, t.name)
	}
	return i, err
}

type target struct {
	name     string
	template template
}

func (s *Store) targets() []target {
	return []target{{s.alertsTarget, alertsTemplate}, {s.runsTarget, runsTemplate}}
}

// templateName returns the template's name, like Kibana's for templates of alerts.
func templateName(target string) string { return target + "-index-template" }

// install installs the template if needed, and returns the state that it found.
func (s *Store) install(ctx context.Context, t target, templates []installedTemplate) (TemplateState, error) {
	_, was := t.ours(templates)
	if was != TemplateCurrent {
		body := maps.Clone(t.template.body)
		body["index_patterns"] = []string{t.name}
		payload, err := json.Marshal(body)
		if err != nil {
			return "", err
		}
		name := templateName(t.name)
		request := esapi.IndicesPutIndexTemplateRequest{Name: name, Body: bytes.NewReader(payload)}
		if err := s.client.Do(ctx, request, &struct{}{}); err != nil {
			return "", fmt.Errorf("put index template %s: %w", name, err)
		}
	}
	return was, nil
}

// prepare creates the data stream of a target, so that a dashboard finds its fields
// before the first alert. If it exists, prepare updates its mapping.
func (s *Store) prepare(ctx context.Context, target string, t template) (created bool, err error) {
	payload, err := json.Marshal(t.mappings())
	if err != nil {
		return false, err
	}
	err = s.client.Do(ctx, esapi.IndicesPutMappingRequest{Index: []string{target}, Body: bytes.NewReader(payload)}, &struct{}{})
	switch {
	case err == nil:
		return false, nil
	case !elastic.HasStatus(err, http.StatusNotFound):
		return false, fmt.Errorf("update the mapping of %s: %w", target, err)
	}
	err = s.client.Do(ctx, esapi.IndicesCreateDataStreamRequest{Name: target}, &struct{}{})
	var refused *elastic.ResponseError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &refused) && refused.HasNoHandler():
		return false, &NoStreamError{target}
	case errors.As(err, &refused) && refused.Has("resource_already_exists_exception"):
		return false, nil // created in the meantime
	}
	return false, fmt.Errorf("create data stream %s: %w", target, err)
}
