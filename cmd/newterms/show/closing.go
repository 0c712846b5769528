package show

import (
	"fmt"
	"log/slog"
	"time"

	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
	"newterms/job"
	"newterms/job/batch"
)

// Closing returns a sentence about a finished run.
func Closing(run runs.Run, dryRun bool) string {
	c := run.Counts
	written := words.Plural(c.Written, "alert", "alerts") + " written"
	if dryRun {
		written = words.Plural(c.Written, "alert", "alerts") + " to write, none written by this dry run"
	}
	shared := ""
	if run.Cause != nil {
		shared = "; " + run.Cause.Text
	}
	return fmt.Sprintf("%s, %s, %s, %d already alerted%s%s; %s",
		words.Plural(c.Candidates, "pair", "pairs"), words.Plural(c.New, "first occurrence", "first occurrences"), written, c.AlreadyAlerted, Excluded(run.Excluded), shared,
		Spent(run.Requests, run.Duration))
}

// Spent returns what a command took, as "12 requests, 0.3 s".
func Spent(requests int, took time.Duration) string {
	return fmt.Sprintf("%s, %.1f s", words.Plural(requests, "request", "requests"), took.Seconds())
}

// Stopped returns what is true of runs that Ctrl-C stopped.
func Stopped(written int64, scheduled, dryRun bool) string {
	if dryRun {
		return "nothing was written"
	}
	text := map[bool]string{true: "1 alert was written", false: fmt.Sprintf("%d alerts were written", written)}[written == 1]
	switch {
	case written == 0:
		text = "no alert was written"
	case !scheduled:
		text += "; run it again for the rest"
	}
	if scheduled {
		text += "; the next scheduled run covers the window again"
	}
	return text
}

// ClosingKeys returns the log keys of a finished run.
func ClosingKeys(run runs.Run, dryRun bool) []slog.Attr {
	written := "written"
	if dryRun {
		written = "would_write"
	}
	keys := []slog.Attr{
		slog.String("run_id", run.ID), slog.String("rule", run.RuleName), slog.String("window", job.Window{From: run.From, To: run.To}.String()),
		slog.Int64("candidates", run.Counts.Candidates), slog.Int64("new", run.Counts.New), slog.Int64(written, run.Counts.Written),
		slog.Int64("already_alerted", run.Counts.AlreadyAlerted), slog.Int64("lacking_terms", run.Counts.LackingTerms),
		slog.Int("requests", run.Requests), slog.Int64("took_ms", run.Took.Milliseconds()),
		slog.Int64("duration_ms", run.Duration.Milliseconds()),
	}
	if run.Cause != nil {
		keys = append(keys, slog.Any("cause", run.Cause))
	}
	if len(run.Excluded) > 0 {
		keys = append(keys, slog.Any("excluded", TopExcluded(run.Excluded, 100)))
	}
	return keys
}

// Sum returns a sentence about the runs of several rules.
func Sum(t *batch.Sum, dryRun bool) string {
	text := words.Plural(int64(t.Ran), "rule ran", "rules ran")
	if t.Failed > 0 {
		text += fmt.Sprintf(", %d of them failed", t.Failed)
	}
	if t.Unusable > 0 {
		text += fmt.Sprintf(", %d cannot be used", t.Unusable)
	}
	if t.NotBegun > 0 {
		text += fmt.Sprintf(", %d not begun", t.NotBegun)
	}
	written := " written"
	if dryRun {
		written = " to write, none written by this dry run"
	}
	return fmt.Sprintf("%s: %s%s; %s, which took Elasticsearch %.1f s, %.1f s", text, words.Plural(t.Written, "alert", "alerts"), written,
		words.Plural(int64(t.Requests), "request", "requests"), t.Took.Seconds(), t.Duration.Seconds())
}

// SumKeys returns the log keys of the runs of several rules.
func SumKeys(t *batch.Sum, dryRun bool) []slog.Attr {
	written := "written"
	if dryRun {
		written = "would_write"
	}
	return []slog.Attr{
		slog.Int("rules_run", t.Ran), slog.Int("rules_failed", t.Failed), slog.Int("rules_unusable", t.Unusable),
		slog.Int("rules_not_begun", t.NotBegun), slog.Int64(written, t.Written),
		slog.Int("requests", t.Requests), slog.Int64("took_ms", t.Took.Milliseconds()), slog.Int64("duration_ms", t.Duration.Milliseconds()),
	}
}
