package alerts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"newterms/alerts/templates"
	"newterms/esquery/elastic"
)

// byPipeline is the type of a Cause that is an ingest pipeline, where Elasticsearch
// gives none.
const byPipeline = "ingest_pipeline"

// A PipelineError reports that documents were rejected, certainly or possibly by an
// ingest pipeline of the target.
type PipelineError struct {
	*RejectedError
	Pipelines []templates.Pipeline // of the target, as far as this user may see them
}

func (e *PipelineError) Error() string {
	if len(e.Pipelines) == 0 {
		return e.RejectedError.Error()
	}
	names := make([]string, len(e.Pipelines))
	for i, p := range e.Pipelines {
		names[i] = p.Setting + " " + p.Name
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
