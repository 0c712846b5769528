package templates

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A Pipeline warns of an ingest pipeline of a target.
type Pipeline struct {
	Target  string
	Setting string // default_pipeline or final_pipeline
	Name    string
}

func (p Pipeline) Error() string {
	return fmt.Sprintf("each document of %s goes through the ingest pipeline %s (%s)", p.Target, p.Name, p.Setting)
}

func (p Pipeline) Advice() string { return PipelineAdvice }

func (p Pipeline) Attrs() []any { return []any{"target", p.Target} }

// Pipelines lists the ingest pipelines of a target, each once: those of its indices or,
// before it has any, those of its index templates. Without the privilege to read the
// settings the list is empty.
func (ts *Targets) Pipelines(ctx context.Context, target string) ([]Pipeline, error) {
	type settings struct {
		Index struct {
			Default string `json:"default_pipeline"`
			Final   string `json:"final_pipeline"`
		} `json:"index"`
	}
	var indices map[string]struct {
		Settings settings `json:"settings"`
	}
	wanted := []string{"index.default_pipeline", "index.final_pipeline"}
	err := ts.client.Do(ctx, esapi.IndicesGetSettingsRequest{Index: []string{target}, Name: wanted}, &indices)
	var all []settings
	for _, index := range indices {
		all = append(all, index.Settings)
	}
	if elastic.HasStatus(err, http.StatusNotFound) {
		var simulated struct {
			Template struct {
				Settings settings `json:"settings"`
			} `json:"template"`
		}
		err = ts.client.Do(ctx, esapi.IndicesSimulateIndexTemplateRequest{Name: target}, &simulated)
		all = append(all, simulated.Template.Settings)
	}
	if elastic.HasStatus(err, http.StatusForbidden) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for ingest pipelines of %s: %w", target, err)
	}
	var found []Pipeline
	for _, one := range all {
		for _, p := range []Pipeline{{target, "default_pipeline", one.Index.Default}, {target, "final_pipeline", one.Index.Final}} {
			if p.Name != "" && p.Name != "_none" && !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
	}
	return found, nil
}

// PipelineAdvice is the advice about an ingest pipeline of a target.
const PipelineAdvice = "take the pipeline off the target (set index.default_pipeline and index.final_pipeline to _none), or let it pass the documents of newterms as they are"
