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
)

// An Installed says what Setup did to one index template.
type Installed struct {
	Template, Target string
	Did              string // "installed", "updated" or "unchanged"
}

// Setup installs the index templates of both targets, and brings the mappings
// of data streams that exist up to them. It changes nothing the second time.
func (s *Store) Setup(ctx context.Context) ([]Installed, error) {
	var all []Installed
	for _, target := range s.targets() {
		did, err := s.install(ctx, target.name, target.template)
		if err != nil {
			return all, err
		}
		all = append(all, Installed{templateName(target.name), target.name, did})
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

func (s *Store) install(ctx context.Context, target string, t template) (string, error) {
	name := templateName(target)
	did, err := s.compare(ctx, name, t)
	if err != nil {
		return "", fmt.Errorf("read index template %s: %w", name, err)
	}
	if did != "unchanged" {
		body := maps.Clone(t.body)
		body["index_patterns"] = []string{target}
		payload, err := json.Marshal(body)
		if err != nil {
			return "", err
		}
		request := esapi.IndicesPutIndexTemplateRequest{Name: name, Body: bytes.NewReader(payload)}
		if err := s.do(ctx, request, &struct{}{}); err != nil {
			return "", fmt.Errorf("put index template %s: %w", name, err)
		}
	}
	payload, err := json.Marshal(t.mappings())
	if err != nil {
		return "", err
	}
	err = s.do(ctx, esapi.IndicesPutMappingRequest{Index: []string{target}, Body: bytes.NewReader(payload)}, &struct{}{})
	var missing *ResponseError
	if errors.As(err, &missing) && missing.Status == http.StatusNotFound {
		return did, nil // the first write makes the data stream
	}
	if err != nil {
		return "", fmt.Errorf("update the mapping of %s: %w", target, err)
	}
	return did, nil
}

// compare tells what there is to do for a template.
func (s *Store) compare(ctx context.Context, name string, t template) (string, error) {
	var answer struct {
		Templates []struct {
			Template struct {
				Version float64 `json:"version"`
			} `json:"index_template"`
		} `json:"index_templates"`
	}
	err := s.do(ctx, esapi.IndicesGetIndexTemplateRequest{Name: name}, &answer)
	var missing *ResponseError
	switch {
	case errors.As(err, &missing) && missing.Status == http.StatusNotFound:
		return "installed", nil
	case err != nil:
		return "", err
	case len(answer.Templates) == 1 && answer.Templates[0].Template.Version == t.body["version"]:
		return "unchanged", nil
	default:
		return "updated", nil
	}
}
