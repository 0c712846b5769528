package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/alerts/keys"
)

// invalidateUnprinted invalidates the keys of this Grant that were not printed. There
// are some after a failure, or if Elasticsearch's answer was lost.
func (g *Grant) invalidateUnprinted(ctx context.Context) error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	kept := map[string]bool{}
	for _, k := range g.made {
		kept[k.ID] = true
	}
	unused, err := keys.Unused(ctx, g.Client, g.names(), g.id, g.Now(), kept)
	if err == nil {
		err = keys.Invalidate(ctx, g.Client, idsOf(unused))
	}
	if err != nil {
		return fmt.Errorf("keys: invalidate the keys that were not printed: %w", err)
	}
	for _, v := range unused {
		g.Ended(v, true)
	}
	return nil
}

// invalidateReplaced invalidates the keys that the new ones replace.
func (g *Grant) invalidateReplaced(ctx context.Context) error {
	if err := keys.Invalidate(ctx, g.Client, idsOf(g.replaced)); err != nil {
		return fmt.Errorf("keys: the new key was printed, but the old one is still valid: %w", err)
	}
	for _, v := range g.replaced {
		g.Ended(v, false)
	}
	return nil
}

// warnOfOthers looks up the valid keys again, and warns of those that were not printed.
func (g *Grant) warnOfOthers(ctx context.Context) error {
	var ended []error
	for i, s := range g.Specs {
		found, err := keys.Find(ctx, g.Client, s.Name, g.Now())
		if err != nil {
			return fmt.Errorf("keys: the key was printed, but other valid keys could not be looked up: %w", err)
		}
		valid := slices.ContainsFunc(found.Valid, func(v keys.Valid) bool { return v.ID == g.made[i].ID })
		var text strings.Builder
		text.WriteString(fmt.Sprintf("the API key %s (id %s), which was printed, is no longer valid: somebody else invalidated it", s.Name, g.made[i].ID))
		for _, v := range found.Valid {
			if text.WriteString(fmt.Sprintf("; the API key %s is valid", v)); valid && v.ID != g.made[i].ID {
				g.Warn(SecondKey{v})
			}
		}
		if !valid {
			ended = append(ended, errors.New("keys: "+text.String()))
		}
	}
	if g.ownOnly {
		g.Warn(OthersKeys{g.names()})
	}
	return errors.Join(ended...)
}

func (g *Grant) names() []string {
	var names []string
	for _, s := range g.Specs {
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
