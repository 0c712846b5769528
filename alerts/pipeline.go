package alerts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// byPipeline is the type of a Cause that is an ingest pipeline, where Elasticsearch
// gives none.
const byPipeline = "ingest_pipeline"

// A Pipeline is an ingest pipeline of a target.
type Pipeline struct {
	Setting string // default_pipeline or final_pipeline
	Name    string
}

func (p Pipeline) String() string { return p.Setting + " " + p.Name }

// Pipelines lists the ingest pipelines of a target, each once: those of its indices or,
// before it has any, those of its index templates. Without the privilege to read the
// settings the list is empty.
func (s *Store) Pipelines(ctx context.Context, target string) ([]Pipeline, error) {
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
	err := s.client.Do(ctx, esapi.IndicesGetSettingsRequest{Index: []string{target}, Name: wanted}, &indices)
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
		err = s.client.Do(ctx, esapi.IndicesSimulateIndexTemplateRequest{Name: target}, &simulated)
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
		for _, p := range []Pipeline{{"default_pipeline", one.Index.Default}, {"final_pipeline", one.Index.Final}} {
			if p.Name != "" && p.Name != "_none" && !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
	}
	return found, nil
}

// A PipelineError reports that documents were rejected, certainly or possibly by an
// ingest pipeline of the target.
type PipelineError struct {
	*RejectedError
	Pipelines []Pipeline // of the target, as far as this user may see them
}

func (e *PipelineError) Error() string {
	if len(e.Pipelines) == 0 {
		return e.RejectedError.Error()
	}
	names := make([]string, len(e.Pipelines))
	for i, p := range e.Pipelines {
		names[i] = p.String()
	}
	return fmt.Sprintf("%s (its ingest pipelines: %s)", e.RejectedError, strings.Join(names, ", "))
}

func (e *PipelineError) Unwrap() error { return e.RejectedError }

// IsSure reports whether only a pipeline can be the cause.
func (e *PipelineError) IsSure() bool {
	return e.Type == byPipeline || strings.Contains(e.Reason, missingPipeline) || e.Status == http.StatusInternalServerError
}

// missingPipeline is part of Elasticsearch's error about a target whose pipeline does
// not exist.
const missingPipeline = "pipeline with id ["

// withPipelines turns a *RejectedError into a *PipelineError if a pipeline is or may be
// the cause. If none can be seen, the rejection stays.
func (s *Store) withPipelines(ctx context.Context, err error) error {
	var rejected *RejectedError
	if !errors.As(err, &rejected) || isBlockedOrForbidden(rejected) {
		return err
	}
	pipelines, _ := s.Pipelines(ctx, rejected.Target)
	found := &PipelineError{rejected, pipelines}
	if len(pipelines) == 0 && (!found.IsSure() || rejected.Status == http.StatusInternalServerError) {
		return err
	}
	return found
}

// isBlockedOrForbidden reports whether no pipeline can be the cause of a rejection.
func isBlockedOrForbidden(e *RejectedError) bool {
	return slices.Contains([]int{http.StatusForbidden, http.StatusUnauthorized, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable}, e.Status)
}

// notCreated returns why a document was not created although Elasticsearch reports no
// error, or why it is not in its target.
func (o outcome) notCreated() elastic.Cause {
	switch {
	case o.FailureStore == "used":
		return elastic.Cause{Type: "failure_store", Reason: "it went to the failure store of the target"}
	case o.Error.Type != "":
		return o.Error
	case o.Status == http.StatusCreated:
		return elastic.Cause{Type: byPipeline, Reason: "an ingest pipeline has sent it to " + o.Index}
	}
	return elastic.Cause{Type: byPipeline, Reason: "an ingest pipeline has dropped it"}
}

// PipelineAdvice is the advice about an ingest pipeline of a target.
const PipelineAdvice = "take the pipeline off the target (set index.default_pipeline and index.final_pipeline to _none), or let it pass the documents of newterms as they are"
