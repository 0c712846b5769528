package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/alerts/keys"
	"newterms/cmd/newterms/settings"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/job/rule"
	"newterms/job/words"
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
func (p program) viewsOf(rules []rule.Rule) ([]view, error) {
	var views []view
	for _, r := range rules {
		for _, pattern := range r.Search.Indices {
			_, index := elastic.SplitCluster(pattern)
			granted, _ := elastic.Grantable(index)
			at := slices.IndexFunc(views, func(v view) bool { return v.pattern == pattern })
			switch {
			case granted == "" || strings.HasPrefix(pattern, "-"):
			case granted == "*" && strings.HasPrefix(index, "<"):
				return nil, settings.Errorf("NEWTERMS_INDEX, or the index patterns of the rule %s: a key that covers %s, whatever the day is, "+
					"may read every index: name what its names have in common (such as logs-*); no key was made", r.Name, pattern)
			case at < 0:
				views = append(views, view{pattern: pattern, search: r.Search, history: r.History})
			default:
				views[at].history = max(views[at].history, r.History)
			}
		}
	}
	return views, nil
}

// A partlyError says that documents or fields are hidden from the user who makes a
// key, and so would be from the key.
type partlyError struct {
	names  []string // of the keys
	hidden []esquery.Restriction
}

func (e partlyError) Error() string {
	texts := make([]string, len(e.hidden))
	for i, r := range e.hidden {
		texts[i] = r.String()
	}
	return fmt.Sprintf("%s, and so from the key %s: no key was made", strings.Join(texts, "; "), strings.Join(e.names, " and "))
}

func (e partlyError) StatusCode() int { return http.StatusForbidden }

// A blindError says that a key sees less than the user who made it.
type blindError struct {
	name, pattern string
	sees, ofUser  esquery.Sight
	history       time.Duration
}

func (e blindError) Error() string {
	return fmt.Sprintf("of %s the key %s sees %s of the last %s in %s, and this user %d in %d: it is not printed", e.pattern, e.name,
		words.Plural(e.sees.Events, "event", "events"), words.Span(e.history), words.Plural(int64(len(e.sees.Indices)), "index", "indices"), e.ofUser.Events, len(e.ofUser.Indices))
}

func (e blindError) StatusCode() int { return http.StatusForbidden }

// emptyView is a warning: nobody can tell whether a key sees what there will be.
type emptyView struct{ pattern string }

func (e emptyView) Error() string {
	return e.pattern + ": this user sees nothing there, so that whether the key will is not known"
}

// look finds what the user sees, as far as the keys need it. It is an error if
// something is hidden from the user.
func (m *keyMaking) look(ctx context.Context) error {
	own, err := esquery.OwnRestrictions(ctx, m.client, m.user)
	if err != nil {
		return err
	}
	var e partlyError
	for _, s := range m.specs {
		var hidden []esquery.Restriction
		targets := []string{s.AlertsTarget, s.RunsTarget}
		switch s.Use {
		case keys.Setup:
			continue
		case keys.Run:
			if hidden, err = m.lookAtSources(ctx, own); err != nil {
				return err
			}
		}
		inTargets, err := own.Find(ctx, m.client, targets, targets, alerts.ReadFields())
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

func (m *keyMaking) lookAtSources(ctx context.Context, own esquery.Restricted) (hidden []esquery.Restriction, err error) {
	for i := range m.views {
		v := &m.views[i]
		v.window = esquery.Range{From: m.now().Add(-v.history), To: m.now()}
		if v.sight, err = esquery.See(ctx, m.client, v.pattern, v.search, v.window); err != nil {
			return nil, err
		}
		of, err := own.Find(ctx, m.client, v.sight.Indices, []string{v.pattern}, v.search.PlainNames())
		if err != nil {
			return nil, err
		}
		hidden = append(hidden, of...)
		if len(v.sight.Indices) == 0 && elastic.IsRemote(v.pattern) {
			m.log.Warn(withAdvice(emptyView{v.pattern}))
		}
	}
	return hidden, nil
}

// compare makes sure that a key sees what the user saw who made it, or by now sees.
func (m *keyMaking) compare(ctx context.Context, ofKey *elastic.Client, name string) error {
	for _, v := range m.views {
		sees, err := esquery.See(ctx, ofKey, v.pattern, v.search, v.window)
		if err != nil && !isStatus(err, http.StatusForbidden) && !errors.Is(err, elastic.ErrIncomplete) {
			return err
		}
		if !sees.Less(v.sight) {
			continue
		}
		now, err := esquery.See(ctx, m.client, v.pattern, v.search, v.window)
		if err != nil {
			return err
		}
		if sees.Less(now) {
			return blindError{name, v.pattern, sees, now, v.history}
		}
	}
	return nil
}
