package templates

import (
	"context"
	"fmt"

	"newterms/esquery/elastic"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// CreateHidden makes a hidden index for each target, with the mapping of its template.
// It is for targets that last as long as a test: it installs no template.
func (ts *Targets) CreateHidden(ctx context.Context) error {
	for _, t := range ts.list() {
		body := elastic.JSON(map[string]any{
			"settings": map[string]any{"index": map[string]any{"hidden": true, "number_of_shards": 1, "number_of_replicas": 0}},
			"mappings": t.template.mappings(),
		})
		request := esapi.IndicesCreateRequest{Index: t.name, Body: body}
		if err := ts.client.Do(context.WithoutCancel(ctx), request, &struct{}{}); err != nil {
			return fmt.Errorf("create the scratch target %s: %w", t.name, err)
		}
	}
	return nil
}
