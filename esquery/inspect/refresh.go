package inspect

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// NeverRefreshed stands for an index that is only refreshed on request.
const NeverRefreshed = time.Duration(1<<63 - 1)

// SlowestRefresh returns the index whose documents become searchable last, and after
// how long. It ignores indices without the setting, which take a second, and those of
// other clusters. It needs a privilege such as view_index_metadata; without it the
// index is "", and that is no error.
func SlowestRefresh(ctx context.Context, c *elastic.Client, indices []string) (index string, interval time.Duration, err error) {
	var local []string
	for _, name := range indices {
		if !elastic.IsRemote(name) {
			local = append(local, name)
		}
	}
	yes := true
	var answer map[string]struct {
		Settings struct {
			Interval string `json:"index.refresh_interval"`
		} `json:"settings"`
	}
	request := esapi.IndicesGetSettingsRequest{
		Index: elastic.InPath(local), Name: []string{"index.refresh_interval"}, FlatSettings: &yes, IgnoreUnavailable: &yes, AllowNoIndices: &yes,
	}
	if len(local) == 0 {
		return "", 0, nil
	}
	if err := c.Do(ctx, request, &answer); elastic.HasStatus(err, http.StatusForbidden) {
		return "", 0, nil
	} else if err != nil {
		return "", 0, fmt.Errorf("read refresh_interval of %s: %w", strings.Join(local, ","), err)
	}
	for name, of := range answer {
		if slow := refreshInterval(of.Settings.Interval); slow > interval {
			index, interval = name, slow
		}
	}
	return index, interval, nil
}

// refreshInterval parses a time value of Elasticsearch, such as 30s, 1m or -1.
//
// https://www.elastic.co/docs/reference/elasticsearch/rest-apis/api-conventions#time-units
func refreshInterval(text string) time.Duration {
	if strings.HasPrefix(text, "-1") {
		return NeverRefreshed
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, _ := strconv.Atoi(days) // not a number: 0
		return time.Duration(n) * 24 * time.Hour
	}
	d, _ := time.ParseDuration(text) // "": 0
	return d
}
