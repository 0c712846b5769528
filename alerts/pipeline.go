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
// tells of none.
const byPipeline = "ingest_pipeline"

// A Pipeline is an ingest pipeline that stands on a target.
type Pipeline struct {
	Setting string // default_pipeline or final_pipeline
	Name    string
}

func (p Pipeline) String() string { return p.Setting + " " + p.Name }

// Pipelines lists the ingest pipelines of a target, each once: those of its indices
// or, as long as it has none, those that its index templates give it. Without a
// right to see the settings the list is empty.
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

// A PipelineError says that documents were rejected, and that an ingest pipeline of
// the target has done it or may have.
type PipelineError struct {
	*RejectedError
	Pipelines []Pipeline // that stand on the target, as far as this user may see them
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

// IsSure reports whether nothing but a pipeline can have done it.
func (e *PipelineError) IsSure() bool {
	return e.Type == byPipeline || strings.Contains(e.Reason, missingPipeline) || e.Status == http.StatusInternalServerError
}

// missingPipeline is how Elasticsearch tells of a pipeline that a target names and
// that does not exist.
const missingPipeline = "pipeline with id ["

// withPipelines makes a *PipelineError of a *RejectedError if a pipeline has done it,
// or if there is one that may have. That none can be seen is no reason to hide the
// rejection.
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

// isBlockedOrForbidden reports a rejection with which no pipeline has to do.
func isBlockedOrForbidden(e *RejectedError) bool {
	return slices.Contains([]int{http.StatusForbidden, http.StatusUnauthorized, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable}, e.Status)
}

// notCreated is why a document was not created that Elasticsearch calls neither
// created nor refused, or that is not in its target.
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

// PipelineAdvice is for an ingest pipeline on a target.
const PipelineAdvice = "take the pipeline off the target (set index.default_pipeline and index.final_pipeline to _none), or let it pass the documents of newterms as they are"
