package alerts

import (
	"context"
	"fmt"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/alerts/alert"
	"newterms/esquery/elastic"
)

// conflicting looks up the documents that caused conflicts, by their ids in the indices
// that reported these. It returns the given fields of each, or nil if there is no
// document: a pipeline may set ids that conflict with each other.
func (s *Store) conflicting(ctx context.Context, conflicts []outcome, fields ...string) ([]map[string]any, error) {
	docs := make([]dsl, len(conflicts))
	for i, o := range conflicts {
		docs[i] = dsl{"_index": o.Index, "_id": o.ID, "_source": fields}
	}
	var answer struct {
		Docs []struct {
			Found  bool           `json:"found"`
			Source map[string]any `json:"_source"`
			Error  elastic.Cause  `json:"error"`
		} `json:"docs"`
	}
	if err := s.client.Do(ctx, esapi.MgetRequest{Body: elastic.JSON(dsl{"docs": docs})}, &answer); err != nil {
		return nil, fmt.Errorf("look up what is there already: %w", err)
	}
	if len(answer.Docs) != len(conflicts) {
		return nil, fmt.Errorf("look up what is there already: %w: it has %d documents, %d were requested", elastic.ErrIncomplete, len(answer.Docs), len(conflicts))
	}
	found := make([]map[string]any, len(conflicts))
	for i, d := range answer.Docs {
		switch {
		case d.Error.Type != "":
			return nil, fmt.Errorf("look up what is there already: get %s: %s", conflicts[i].ID, d.Error)
		case d.Found:
			found[i] = d.Source
		}
	}
	return found, nil
}

// judgeConflicts separates alerts that this run wrote in an attempt whose answer was
// lost from those that another run wrote. It returns the outcomes of alerts that do not
// exist: they were not created.
func (s *Store) judgeConflicts(ctx context.Context, conflicts []alert.Alert, outcomes []outcome, result *Result) (rejected []outcome, err error) {
	if len(conflicts) == 0 {
		return nil, nil
	}
	found, err := s.conflicting(ctx, outcomes, "kibana.alert.uuid", "newterms.run.id")
	for i, document := range found {
		uuid, _ := elastic.Lookup(document, "kibana.alert.uuid")
		run, _ := elastic.Lookup(document, "newterms.run.id")
		switch {
		case uuid != conflicts[i].ID:
			rejected = append(rejected, outcomes[i].idTaken())
		case run == conflicts[i].RunID():
			result.Written = append(result.Written, conflicts[i])
		default:
			result.Existing++
		}
	}
	return rejected, err
}

// idTaken returns the outcome of a conflict with another document.
func (o outcome) idTaken() outcome {
	o.Status = http.StatusConflict
	o.Error = elastic.Cause{Type: byPipeline, Reason: "another document has its place: an ingest pipeline gives documents other ids"}
	return o
}
