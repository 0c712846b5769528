// Package sample fills an Elasticsearch with the sample events of testdata/okta.
package sample

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"newterms/job/datemath"
)

// A Server is an Elasticsearch, such as an *estest.Node. An HTTP status that is
// not 2xx, and a bulk request with errors, is an error.
type Server interface {
	Request(ctx context.Context, method, path string, body any) ([]byte, error)
}

// Load makes the sample's data stream and fills it from dir/*.ndjson. The times
// in the sample are date math, relative to now.
func Load(ctx context.Context, node Server, dir string, now time.Time) error {
	template, err := os.ReadFile(filepath.Join(dir, "index-template.json"))
	if err != nil {
		return err
	}
	if _, err := node.Request(ctx, "PUT", "/_index_template/logs-okta.system", template); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	if err != nil {
		return err
	}
	var bulk bytes.Buffer
	for _, path := range files {
		if err := addEvents(&bulk, path, now); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	_, err = node.Request(ctx, "POST", "/logs-okta.system-default/_bulk?refresh=true", bulk.Bytes())
	return err
}

func addEvents(bulk *bytes.Buffer, path string, now time.Time) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	encoder := json.NewEncoder(bulk)
	for lines.Scan() {
		var event map[string]any
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return err
		}
		times := event["event"].(map[string]any)
		for _, t := range []struct {
			in   map[string]any
			name string
			unit time.Duration
		}{{event, "@timestamp", time.Millisecond}, {times, "created", time.Millisecond}, {times, "ingested", time.Second}} {
			at, err := datemath.Parse(t.in[t.name].(string), now)
			if err != nil {
				return err
			}
			t.in[t.name] = at.Truncate(t.unit).Format(time.RFC3339Nano)
		}
		id := map[string]any{"create": map[string]any{"_id": times["id"]}}
		if err := encoder.Encode(id); err != nil {
			return err
		}
		if err := encoder.Encode(event); err != nil {
			return err
		}
	}
	return lines.Err()
}
