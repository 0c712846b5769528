package grant

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/alerts/keys"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/inspect"
	"newterms/esquery/query"
	"newterms/job/rule"
)

// A view is an index name or pattern that runs read, and what the user who makes a key
// sees of it.
type view struct {
	pattern  string
	search   query.Search
	history  time.Duration // the longest history of the rules that read it
	window   query.Range
	readable inspect.ReadableEvents
}

// viewsOf lists each name and pattern once. It refuses date math that could name any
// index.
func viewsOf(rules []rule.Rule) ([]view, error) {
	var views []view
	for _, r := range rules {
		for _, pattern := range r.Search.Indices {
			_, index := elastic.SplitCluster(pattern)
			granted, _ := elastic.Grantable(index)
			at := slices.IndexFunc(views, func(v view) bool { return v.pattern == pattern })
			switch {
			case granted == "" || strings.HasPrefix(pattern, "-"):
			case granted == "*" && strings.HasPrefix(index, "<"):
				return nil, &PatternError{r.Name, pattern}
			case at < 0:
				views = append(views, view{pattern: pattern, search: r.Search, history: r.History})
			default:
				views[at].history = max(views[at].history, r.History)
			}
		}
	}
	return views, nil
}

// checkRestrictions returns an error if anything that the keys must read is hidden from
// the user.
func (g *Grant) checkRestrictions(ctx context.Context) error {
	own, err := access.OwnRestrictions(ctx, g.Client, g.User)
	if err != nil {
		return err
	}
	var e HiddenError
	for _, s := range g.Specs {
		var hidden []access.Restriction
		targets := []string{s.AlertsTarget, s.RunsTarget}
		switch s.Use {
		case keys.Setup:
			continue
		case keys.Run, keys.Compare:
			if hidden, err = g.checkSources(ctx, own); err != nil {
				return err
			}
		}
		inTargets, err := own.Find(ctx, g.Client, targets, targets, alerts.ReadFields())
		if err != nil {
			return err
		}
		if hidden = append(hidden, inTargets...); len(hidden) > 0 {
			e.names, e.hidden = append(e.names, s.Name), hidden
		}
	}
	if len(e.names) > 0 {
		return e
	}
	return nil
}

func (g *Grant) checkSources(ctx context.Context, own access.Restricted) (hidden []access.Restriction, err error) {
	for i := range g.views {
		v := &g.views[i]
		v.window = query.Range{From: g.Now().Add(-v.history), To: g.Now()}
		if v.readable, err = inspect.Readable(ctx, g.Client, v.pattern, v.search, v.window); err != nil {
			return nil, err
		}
		of, err := own.Find(ctx, g.Client, v.readable.Indices, []string{v.pattern}, v.search.PlainNames())
		if err != nil {
			return nil, err
		}
		hidden = append(hidden, of...)
		if len(v.readable.Indices) == 0 && elastic.IsRemote(v.pattern) {
			g.Warn(EmptyView{v.pattern})
		}
	}
	return hidden, nil
}

// compare returns an error if a key sees less than its maker saw before, and less than
// its maker sees now.
func (g *Grant) compare(ctx context.Context, keyClient *elastic.Client, name string) error {
	for _, v := range g.views {
		sees, err := inspect.Readable(ctx, keyClient, v.pattern, v.search, v.window)
		if err != nil && !elastic.HasStatus(err, http.StatusForbidden) && !errors.Is(err, elastic.ErrIncomplete) {
			return err
		}
		if !sees.Less(v.readable) {
			continue
		}
		now, err := inspect.Readable(ctx, g.Client, v.pattern, v.search, v.window)
		if err != nil {
			return err
		}
		if sees.Less(now) {
			return BlindError{name, v.pattern, sees, now, v.history}
		}
	}
	return nil
}
