// Package grant makes the API keys of newterms: none that sees less than the user who
// makes it, and no second one without a word.
package grant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"newterms/alerts/keys"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/job/rule"
)

// A Grant is one making of API keys.
type Grant struct {
	Client *elastic.Client // of the user who makes the keys
	User   esquery.User
	Specs  []keys.Spec
	Rules  []rule.Rule // whose indices the keys of runs read
	// Connect makes a client with a key, as Elasticsearch returned it encoded.
	Connect func(encoded string) (*elastic.Client, error)
	// Warn is given an OthersKeys, SecondKey or EmptyView, and Ended each key that was
	// invalidated: another's, or one of this making that nobody got.
	Warn  func(error)
	Ended func(key keys.Valid, nobodyGot bool)
	Now   func() time.Time

	id       string // that no other making has
	views    []view
	replaced []keys.Valid // that there were before
	ownOnly  bool         // the user may not see the keys of others
	made     []keys.Key   // in the order of Specs
}

// Make makes the keys, and ends those that they replace. Each is tried before print is
// given all. An error leaves the keys as they were, but for one of invalidating those
// that were replaced. It returns an *ExistsError, *NotMineError, *HiddenError,
// *BlindError or a *keys.LackingError, and what requests return.
func (g *Grant) Make(ctx context.Context, rotate bool, print func([]keys.Key) error) error {
	g.id = uuid.NewString()
	var err error
	if g.views, err = viewsOf(g.Rules); err != nil {
		return err
	}
	if err := g.prepare(ctx, rotate); err != nil {
		return err
	}
	err = g.makeAll(ctx)
	if err == nil {
		err = print(g.made)
	}
	if err != nil {
		g.made = nil
		return errors.Join(fmt.Errorf("keys: %w", err), g.takeBack(ctx))
	}
	return errors.Join(g.takeBack(ctx), g.retire(ctx), g.warnOfOthers(ctx))
}

// prepare looks, before anything is made, for keys that are there already, which is
// an error unless they are to be replaced, and for what the user may not see.
func (g *Grant) prepare(ctx context.Context, rotate bool) error {
	var refused []error
	for _, s := range g.Specs {
		found, err := keys.Find(ctx, g.Client, s.Name, g.Now())
		if err != nil {
			return err
		}
		g.ownOnly = found.OwnOnly
		switch {
		case !rotate && len(found.Valid) > 0:
			refused = append(refused, ExistsError{Valid: found.Valid[0], Use: s.Use})
		case rotate && found.OwnOnly && len(found.Valid) == 0:
			refused = append(refused, NotMineError{"this user may see only its own API keys, and has none named " + s.Name, true})
		}
		g.replaced = append(g.replaced, found.Valid...)
	}
	if len(refused) == 0 && rotate {
		refused = append(refused, g.mayReplace(ctx))
	}
	if err := errors.Join(refused...); err != nil {
		return err
	}
	for _, s := range g.Specs {
		if err := keys.Try(ctx, g.Client, s); err != nil {
			return fmt.Errorf("keys: %w: no key was made", err)
		}
	}
	if err := g.look(ctx); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

// mayReplace refuses to make what replaces the key of another user, if this one may
// not end that.
func (g *Grant) mayReplace(ctx context.Context) error {
	at := slices.IndexFunc(g.replaced, func(v keys.Valid) bool { return v.Owner != g.User.Name })
	if at < 0 {
		return nil
	}
	may, err := keys.MayEndOthers(ctx, g.Client)
	if err == nil && !may {
		err = NotMineError{fmt.Sprintf("this user may not end the API key %s", g.replaced[at]), false}
	}
	return err
}

// makeAll makes the keys, tries each, and looks at it and for another again.
func (g *Grant) makeAll(ctx context.Context) error {
	for _, s := range g.Specs {
		key, err := keys.Make(ctx, g.Client, s, g.id)
		if err != nil {
			return err
		}
		g.made = append(g.made, key)
		ofKey, err := g.Connect(key.Encoded)
		if err == nil {
			err = keys.Try(ctx, ofKey, s)
		}
		if err == nil && s.Use == keys.Run {
			err = g.compare(ctx, ofKey, s.Name)
		}
		if err == nil || elastic.HasStatus(err, http.StatusUnauthorized) {
			err = cmp.Or(g.yield(ctx, s, key), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// yield gives way to a key of the same name that was made meanwhile, but before this
// one: of two users who make one at once each would believe that there is one.
func (g *Grant) yield(ctx context.Context, s keys.Spec, made keys.Key) error {
	found, err := keys.Find(ctx, g.Client, s.Name, g.Now())
	if err != nil {
		return err
	}
	for _, v := range found.Valid { // in the order in which they were made
		if v.ID == made.ID {
			return nil
		}
		if !v.MadeBy(g.id) && !slices.ContainsFunc(g.replaced, func(r keys.Valid) bool { return r.ID == v.ID }) {
			return ExistsError{Valid: v, Use: s.Use, Meanwhile: true}
		}
	}
	return fmt.Errorf("the API key %s (id %s), which was made just now, is not valid any more: somebody else ended it", s.Name, made.ID)
}
