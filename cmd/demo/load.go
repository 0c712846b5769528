package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"newterms/job/datemath"
)

// load makes the sample's data stream and fills it from dir/*.ndjson. The times
// in the sample are date math, relative to now.
func load(ctx context.Context, url, dir string, now time.Time) error {
	template, err := os.ReadFile(filepath.Join(dir, "index-template.json"))
	if err != nil {
		return err
	}
	if err := send(ctx, http.MethodPut, url+"/_index_template/logs-okta.system", template); err != nil {
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
	return send(ctx, http.MethodPost, url+"/logs-okta.system-default/_bulk?refresh=true", bulk.Bytes())
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

func send(ctx context.Context, method, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || bytes.Contains(answer, []byte(`"errors":true`)) {
		return fmt.Errorf("%s %s: %s: %.500s", method, url, res.Status, answer)
	}
	return nil
}
