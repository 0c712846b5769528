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
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/job/rule"
)

// A view is a name or pattern that runs read, and what of it the user sees who makes
// a key.
type view struct {
	pattern string
	search  esquery.Search
	history time.Duration // the longest of the rules that read it
	window  esquery.Range
	sight   esquery.Sight
}

// viewsOf lists each name and pattern once. It refuses date math that any index may
// come of.
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

// look finds what the user sees, as far as the keys need it. It is an error if
// something is hidden from the user.
func (g *Grant) look(ctx context.Context) error {
	own, err := esquery.OwnRestrictions(ctx, g.Client, g.User)
	if err != nil {
		return err
	}
	var e HiddenError
	for _, s := range g.Specs {
		var hidden []esquery.Restriction
		targets := []string{s.AlertsTarget, s.RunsTarget}
		switch s.Use {
		case keys.Setup:
			continue
		case keys.Run:
			if hidden, err = g.lookAtSources(ctx, own); err != nil {
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

func (g *Grant) lookAtSources(ctx context.Context, own esquery.Restricted) (hidden []esquery.Restriction, err error) {
	for i := range g.views {
		v := &g.views[i]
		v.window = esquery.Range{From: g.Now().Add(-v.history), To: g.Now()}
		if v.sight, err = esquery.See(ctx, g.Client, v.pattern, v.search, v.window); err != nil {
			return nil, err
		}
		of, err := own.Find(ctx, g.Client, v.sight.Indices, []string{v.pattern}, v.search.PlainNames())
		if err != nil {
			return nil, err
		}
		hidden = append(hidden, of...)
		if len(v.sight.Indices) == 0 && elastic.IsRemote(v.pattern) {
			g.Warn(EmptyView{v.pattern})
		}
	}
	return hidden, nil
}

// compare makes sure that a key sees what the user saw who made it, or by now sees.
func (g *Grant) compare(ctx context.Context, ofKey *elastic.Client, name string) error {
	for _, v := range g.views {
		sees, err := esquery.See(ctx, ofKey, v.pattern, v.search, v.window)
		if err != nil && !elastic.HasStatus(err, http.StatusForbidden) && !errors.Is(err, elastic.ErrIncomplete) {
			return err
		}
		if !sees.Less(v.sight) {
			continue
		}
		now, err := esquery.See(ctx, g.Client, v.pattern, v.search, v.window)
		if err != nil {
			return err
		}
		if sees.Less(now) {
			return BlindError{name, v.pattern, sees, now, v.history}
		}
	}
	return nil
}
