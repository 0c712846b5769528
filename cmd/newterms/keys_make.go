package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"newterms/alerts/keys"
	"newterms/cmd/newterms/settings"
	"newterms/esquery"
	"newterms/esquery/elastic"
)

// A keyMaking is one call of `newterms keys`.
type keyMaking struct {
	program
	client   *elastic.Client // of the user who makes the keys
	user     esquery.User
	id       string // that no other has
	specs    []keys.Spec
	views    []view
	replaced []keys.Valid // that there were before
	ownOnly  bool         // the user may not see the keys of others
	made     []keys.Key   // in the order of specs
}

// A keyExistsError says that a key would be a second one, of which nobody would
// know whether it is in use.
type keyExistsError struct {
	keys.Valid
	use       keys.Use
	meanwhile bool // it was made by somebody else at the same time
}

func (e keyExistsError) Error() string {
	if e.meanwhile {
		return fmt.Sprintf("somebody else made the API key %s at the same time: this one is not printed", e.Valid)
	}
	return fmt.Sprintf("there is an API key %s already (%s): no key was made", e.Name, e.Whose())
}

// A notMineError says why keys cannot be replaced by this user. One that does not
// see those of others may make another.
type notMineError struct {
	text    string
	ownOnly bool
}

func (e notMineError) Error() string   { return "keys: --rotate: " + e.text + ": no key was made" }
func (e notMineError) StatusCode() int { return http.StatusForbidden }

// othersKeys is a warning: whether there are more keys is not known.
type othersKeys struct{ names []string }

func (o othersKeys) Error() string {
	return "this user may see only its own API keys: those of others with the name " + strings.Join(o.names, " or ") + " stay valid, if there are any"
}

// secondKey is a warning: a key is valid besides the one that was printed.
type secondKey struct{ keys.Valid }

func (s secondKey) Error() string {
	return fmt.Sprintf("the API key %s is valid as well", s.Valid)
}

// prepare looks, before anything is made, for keys that are there already, which is
// an error unless they are to be replaced, and for what the user may not see.
func (m *keyMaking) prepare(ctx context.Context, rotate bool) error {
	var refused []error
	for _, s := range m.specs {
		found, err := keys.Find(ctx, m.client, s.Name, m.now())
		if err != nil {
			return err
		}
		m.ownOnly = found.OwnOnly
		switch {
		case !rotate && len(found.Valid) > 0:
			refused = append(refused, keyExistsError{Valid: found.Valid[0], use: s.Use})
		case rotate && found.OwnOnly && len(found.Valid) == 0:
			refused = append(refused, notMineError{"this user may see only its own API keys, and has none named " + s.Name, true})
		}
		m.replaced = append(m.replaced, found.Valid...)
	}
	if len(refused) == 0 && rotate {
		refused = append(refused, m.mayReplace(ctx))
	}
	if err := errors.Join(refused...); err != nil {
		return err
	}
	for _, s := range m.specs {
		if err := keys.Try(ctx, m.client, s); err != nil {
			return fmt.Errorf("keys: %w: no key was made", err)
		}
	}
	if err := m.look(ctx); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

// mayReplace refuses to make what replaces the key of another user, if this one may
// not end that.
func (m *keyMaking) mayReplace(ctx context.Context) error {
	at := slices.IndexFunc(m.replaced, func(v keys.Valid) bool { return v.Owner != m.user.Name })
	if at < 0 {
		return nil
	}
	may, err := keys.MayEndOthers(ctx, m.client)
	if err == nil && !may {
		err = notMineError{fmt.Sprintf("this user may not end the API key %s", m.replaced[at]), false}
	}
	return err
}

// makeAll makes the keys, tries each, and looks at it and for another again.
func (m *keyMaking) makeAll(ctx context.Context) error {
	for _, s := range m.specs {
		key, err := keys.Make(ctx, m.client, s, m.id)
		if err != nil {
			return err
		}
		m.made = append(m.made, key)
		ofKey, err := m.connectAs(settings.Credentials{APIKey: key.Encoded}, nil)
		if err == nil {
			err = keys.Try(ctx, ofKey, s)
		}
		if err == nil && s.Use == keys.Run {
			err = m.compare(ctx, ofKey, s.Name)
		}
		if err == nil || isStatus(err, http.StatusUnauthorized) {
			err = cmp.Or(m.yield(ctx, s, key), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// yield gives way to a key of the same name that was made meanwhile, but before this
// one: of two users who make one at once each would believe that there is one.
func (m *keyMaking) yield(ctx context.Context, s keys.Spec, made keys.Key) error {
	found, err := keys.Find(ctx, m.client, s.Name, m.now())
	if err != nil {
		return err
	}
	for _, v := range found.Valid { // in the order in which they were made
		if v.ID == made.ID {
			return nil
		}
		if !v.MadeBy(m.id) && !slices.ContainsFunc(m.replaced, func(r keys.Valid) bool { return r.ID == v.ID }) {
			return keyExistsError{Valid: v, use: s.Use, meanwhile: true}
		}
	}
	return fmt.Errorf("the API key %s (id %s), which was made just now, is not valid any more: somebody else ended it", s.Name, made.ID)
}

// takeBack invalidates what this making made, but for the keys that were
// printed: after a failure, also one by the user, and keys of which the answer
// was lost.
func (m *keyMaking) takeBack(ctx context.Context) error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	kept := map[string]bool{}
	for _, k := range m.made {
		kept[k.ID] = true
	}
	unused, err := keys.Unused(ctx, m.client, m.names(), m.id, m.now(), kept)
	if err == nil {
		err = keys.Invalidate(ctx, m.client, idsOf(unused))
	}
	if err != nil {
		return fmt.Errorf("keys: take back what nobody got: %w", err)
	}
	for _, v := range unused {
		m.log.Info(fmt.Sprintf("invalidated API key %s (id %s) again, which nobody got", v.Name, v.ID), "key", v.ID)
	}
	return nil
}

// retire invalidates the keys that others have replaced.
func (m *keyMaking) retire(ctx context.Context) error {
	if err := keys.Invalidate(ctx, m.client, idsOf(m.replaced)); err != nil {
		return fmt.Errorf("keys: the new key was printed, and the old one works on: %w", err)
	}
	for _, v := range m.replaced {
		m.log.Info(fmt.Sprintf("invalidated API key %s (id %s)", v.Name, v.ID), "key", v.ID)
	}
	return nil
}

// tellValid looks once more and warns of keys that are valid besides those that were
// printed.
func (m *keyMaking) tellValid(ctx context.Context) error {
	var ended []error
	for i, s := range m.specs {
		found, err := keys.Find(ctx, m.client, s.Name, m.now())
		if err != nil {
			return fmt.Errorf("keys: the key was printed, and whether others are valid is not known: %w", err)
		}
		valid := slices.ContainsFunc(found.Valid, func(v keys.Valid) bool { return v.ID == m.made[i].ID })
		text := fmt.Sprintf("the API key %s (id %s), which was printed, is not valid any more: somebody else ended it", s.Name, m.made[i].ID)
		for _, v := range found.Valid {
			if text += fmt.Sprintf("; the API key %s is valid", v); valid && v.ID != m.made[i].ID {
				m.log.Warn(withAdvice(secondKey{v}), "key", v.ID)
			}
		}
		if !valid {
			ended = append(ended, errors.New("keys: "+text))
		}
	}
	if m.ownOnly {
		m.log.Warn(withAdvice(othersKeys{m.names()}))
	}
	return errors.Join(ended...)
}

func (m *keyMaking) names() []string {
	var names []string
	for _, s := range m.specs {
		names = append(names, s.Name)
	}
	return names
}

func idsOf(valid []keys.Valid) []string {
	var ids []string
	for _, v := range valid {
		ids = append(ids, v.ID)
	}
	return ids
}
