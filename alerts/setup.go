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

// An Installed is an index template that Setup has installed or found.
type Installed struct {
	Template, Target string
	// Was is the state that Setup found. Unless that is TemplateCurrent, Setup
	// has installed the template.
	Was TemplateState
}

// Setup installs the index templates of both targets, and brings the mappings
// of data streams that exist up to them. It changes nothing the second time.
// With an error it returns what it installed before.
func (s *Store) Setup(ctx context.Context) ([]Installed, error) {
	var all []Installed
	for _, target := range s.targets() {
		was, err := s.install(ctx, target.name, target.template)
		if err != nil {
			return all, err
		}
		all = append(all, Installed{templateName(target.name), target.name, was})
	}
	return all, nil
}

type target struct {
	name     string
	template template
}

func (s *Store) targets() []target {
	return []target{{s.alertsTarget, alertsTemplate}, {s.runsTarget, runsTemplate}}
}

// templateName follows Kibana's names for the templates of alerts.
func templateName(target string) string { return target + "-index-template" }

// install returns the state that it found.
func (s *Store) install(ctx context.Context, target string, t template) (TemplateState, error) {
	name := templateName(target)
	was, err := s.templateState(ctx, name, t)
	if err != nil {
		return "", fmt.Errorf("read index template %s: %w", name, err)
	}
	if was != TemplateCurrent {
		body := maps.Clone(t.body)
		body["index_patterns"] = []string{target}
		payload, err := json.Marshal(body)
		if err != nil {
			return "", err
		}
		request := esapi.IndicesPutIndexTemplateRequest{Name: name, Body: bytes.NewReader(payload)}
		if err := s.client.Do(ctx, request, &struct{}{}); err != nil {
			return "", fmt.Errorf("put index template %s: %w", name, err)
		}
	}
	payload, err := json.Marshal(t.mappings())
	if err != nil {
		return "", err
	}
	err = s.client.Do(ctx, esapi.IndicesPutMappingRequest{Index: []string{target}, Body: bytes.NewReader(payload)}, &struct{}{})
	if err != nil && !hasStatus(err, http.StatusNotFound) { // the first write makes the data stream
		return "", fmt.Errorf("update the mapping of %s: %w", target, err)
	}
	return was, nil
}

// templateState compares the version of the installed template with ours.
func (s *Store) templateState(ctx context.Context, name string, t template) (TemplateState, error) {
	var answer struct {
		Templates []struct {
			Template struct {
				Version float64 `json:"version"`
			} `json:"index_template"`
		} `json:"index_templates"`
	}
	err := s.client.Do(ctx, esapi.IndicesGetIndexTemplateRequest{Name: name}, &answer)
	switch {
	case hasStatus(err, http.StatusNotFound):
		return TemplateMissing, nil
	case err != nil:
		return "", err
	case len(answer.Templates) == 1 && answer.Templates[0].Template.Version == t.body["version"]:
		return TemplateCurrent, nil
	default:
		return TemplateOutdated, nil
	}
}

func hasStatus(err error, status int) bool {
	var refused *elastic.ResponseError
	return errors.As(err, &refused) && refused.Status == status
}
