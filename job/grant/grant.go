// Package grant makes the API keys of newterms. It makes no key that sees less than its
// maker, and no second key without a warning.
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
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/job/rule"
)

// A Grant makes a set of API keys.
type Grant struct {
	Client *elastic.Client // of the user who makes the keys
	User   access.User
	Specs  []keys.Spec
	Rules  []rule.Rule // whose indices the keys of runs and comparisons read
	// Connect makes a client that uses a key. encoded is the key as Elasticsearch
	// returned it.
	Connect func(encoded string) (*elastic.Client, error)
	// Warn is called with an OthersKeys, SecondKey or EmptyView. Ended is called with
	// each key that was invalidated; nobodyGot is set for a new key that was not
	// printed.
	Warn  func(error)
	Ended func(key keys.Valid, nobodyGot bool)
	Now   func() time.Time

	id       string // unique to this Grant
	views    []view
	replaced []keys.Valid // valid keys of the same names from before
	ownOnly  bool         // the user may not see the keys of others
	made     []keys.Key   // in the order of Specs
}

// Make makes the keys, tries each, calls print with all of them, and then invalidates
// those that they replace. After an error the old keys are unchanged, unless the error
// is about invalidating them. It returns an *ExistsError, *NotMineError, *HiddenError,
// *BlindError or *keys.LackingError, or the error of a request.
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
		return errors.Join(fmt.Errorf("keys: %w", err), g.invalidateUnprinted(ctx))
	}
	return errors.Join(g.invalidateUnprinted(ctx), g.invalidateReplaced(ctx), g.warnOfOthers(ctx))
}

// prepare checks, before a key is made, for existing keys and for what is hidden from
// the user. Existing keys are an error unless they are to be replaced.
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
	if err := g.checkRestrictions(ctx); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

// mayReplace returns an error if a key to replace belongs to another user and this user
// may not invalidate it.
func (g *Grant) mayReplace(ctx context.Context) error {
	at := slices.IndexFunc(g.replaced, func(v keys.Valid) bool { return v.Owner != g.User.Name })
	if at < 0 {
		return nil
	}
	may, err := keys.MayEndOthers(ctx, g.Client)
	if err == nil && !may {
		err = NotMineError{fmt.Sprintf("this user may not invalidate the API key %s", g.replaced[at]), false}
	}
	return err
}

// makeAll makes the keys. It tries each, compares what it sees, and looks for another
// of its name.
func (g *Grant) makeAll(ctx context.Context) error {
	for _, s := range g.Specs {
		key, err := keys.Make(ctx, g.Client, s, g.id)
		if err != nil {
			return err
		}
		g.made = append(g.made, key)
		keyClient, err := g.Connect(key.Encoded)
		if err == nil {
			err = keys.Try(ctx, keyClient, s)
		}
		if err == nil && (s.Use == keys.Run || s.Use == keys.Compare) {
			err = g.compare(ctx, keyClient, s.Name)
		}
		if err == nil || elastic.HasStatus(err, http.StatusUnauthorized) {
			err = cmp.Or(g.yieldToEarlier(ctx, s, key), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// yieldToEarlier returns an error if another key of the same name was made meanwhile,
// before this one. Otherwise two users who make one at once would both believe theirs
// is the only one.
func (g *Grant) yieldToEarlier(ctx context.Context, s keys.Spec, made keys.Key) error {
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
	return fmt.Errorf("the API key %s (id %s), which was made just now, is no longer valid: somebody else invalidated it", s.Name, made.ID)
}
