package main

import (
	"regexp"
	"strings"
	"time"

	"newterms/job/datemath"
)

var times = regexp.MustCompile(`<(now[^>]*)>`)

// dated replaces <now-1m> and the like with that time, and <long> and <huge> with
// a number of 1,100 and a text of 20,000 characters.
func dated(text string, now time.Time) string {
	text = strings.NewReplacer("<long>", strings.Repeat("9", 1_100), "<huge>", strings.Repeat("x", 20_000)).Replace(text)
	return times.ReplaceAllStringFunc(text, func(marked string) string {
		at, err := datemath.Parse(marked[1:len(marked)-1], now)
		if err != nil {
			return err.Error() // which no date field takes
		}
		return at.UTC().Format("2006-01-02T15:04:05.000Z")
	})
}

var volatile = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d `), ""}, // before a log line
	{regexp.MustCompile(`(in|from) space (\S+) of 127\.0\.0\.1:\d+`), "$1 space $2 of kibana.example:5601"},
	{regexp.MustCompile(`https?://127\.0\.0\.1:\d+`), "http://elasticsearch.example:9200"},
	{regexp.MustCompile(`(\.ds-\S*?)\d{4}\.\d\d\.\d\d(-\d{6})`), "${1}2026.03.10$2"}, // the day it was made
	{regexp.MustCompile(`(?m), \d+\.\d s$`), ", 0.0 s"},
	{regexp.MustCompile(`took Elasticsearch \d+\.\d s`), "took Elasticsearch 0.1 s"},
	{regexp.MustCompile(`"(took_ms|duration_ms|wait_ms)":\d+`), `"$1":1`},
	{regexp.MustCompile(`document [0-9a-f-]{36}-`), "document 0c7a4b52-5d9e-4a53-8b5e-f6f9f1b1a2c3-"},
	{regexp.MustCompile(`run [0-9a-f-]{36}`), "run 0c7a4b52-5d9e-4a53-8b5e-f6f9f1b1a2c3"},
	{regexp.MustCompile(`"run_id":"[0-9a-f-]{36}"`), `"run_id":"0c7a4b52-5d9e-4a53-8b5e-f6f9f1b1a2c3"`},
	{regexp.MustCompile(`"@timestamp":"[^"]*","log.level"`), `"@timestamp":"2026-03-10T12:00:00.000Z","log.level"`},
	{regexp.MustCompile(`"service.version":"[^"]*"`), `"service.version":"v1.2.3"`},
	{regexp.MustCompile(`✓ server     Elasticsearch (8\.\d+\.\d+|9\.\S+)`), "✓ server     Elasticsearch 8.19.0"},
	{regexp.MustCompile(`\b(\d+ (min|s) )+old`), "1 min old"},
	{regexp.MustCompile(`(\d+ (h|min|s) )+ago\); all events up to \S+`), "2 s ago); all events up to 2026-03-10T12:00:00Z"},
	{regexp.MustCompile(`\(id [\w-]{20}`), "(id VuaCfGcBCdbkQm-e5aOx"},
	{regexp.MustCompile(`(, which expires at|, made) 20[\w:-]+Z`), "$1 2026-03-10T12:00:00Z"},
	{regexp.MustCompile(`dial tcp 127\.0\.0\.1:\d+`), "dial tcp 127.0.0.1:9200"},
}

// tidy takes out what differs from run to run: the story's names, times, ids
// that are drawn.
func (s *story) tidy(text string) string {
	text = strings.ReplaceAll(text, s.prefix, "")
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.stands)
	}
	return text
}
