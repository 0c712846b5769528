package runs

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// generation matches the number of a backing index, which counts from 1.
//
// https://www.elastic.co/docs/manage-data/data-store/data-streams
var generation = regexp.MustCompile(`-(\d{6,})$`)

// hasDeleted reports whether backing indices of a data stream are gone, as after its
// retention. It is false if this user may not know.
func (r *Reader) hasDeleted(ctx context.Context, target string) (bool, error) {
	var answer struct {
		Streams []struct {
			Indices any `json:"backing_indices"` // a list, or one name
		} `json:"data_streams"`
	}
	err := r.client.Do(ctx, esapi.IndicesResolveIndexRequest{Name: []string{target}, ExpandWildcards: "all"}, &answer)
	if elastic.HasStatus(err, http.StatusForbidden) || elastic.HasStatus(err, http.StatusNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list the indices of %s: %w", target, err)
	}
	for _, stream := range answer.Streams {
		names, isList := stream.Indices.([]any)
		if !isList {
			names = []any{stream.Indices}
		}
		for _, name := range names {
			if m := generation.FindStringSubmatch(fmt.Sprint(name)); m != nil {
				if number, err := strconv.Atoi(m[1]); err == nil && number == 1 {
					return false, nil
				}
			}
		}
	}
	return len(answer.Streams) > 0, nil
}
