package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"newterms/alerts/keys"
	"newterms/esquery"
	"newterms/esquery/elastic"
)

const keysHelp = `  newterms keys   [run|setup|close|notify]... [--rotate] [--expires D]
                  [--output json|secret]
                  as a user makes API keys with what each needs, run and setup
                  if none is named, and prints them once, as JSON or as Secrets
                  for kubectl; --rotate makes another key, tries it and ends
                  the one there is
`

// keysFlags are what `newterms keys` was told.
type keysFlags struct {
	uses    []keys.Use
	rotate  bool
	output  string
	expires duration
}

// A keyExistsError says that a key would be a second one, of which nobody would
// know whether it is in use.
type keyExistsError struct {
	keys.Valid
	use keys.Use
}

func (e keyExistsError) Error() string {
	return fmt.Sprintf("there is an API key %s already (id %s, of %s, made %s): no key was made", e.Name, e.ID, e.Owner, e.Created.Format(time.RFC3339))
}

// keys makes API keys and prints them. An error leaves the keys as they were, but
// for one of invalidating those that were replaced.
func (p program) keys(ctx context.Context, args []string) error {
	f, err := parseKeys(args)
	if err != nil {
		return err
	}
	specs, err := p.keySpecs(f)
	if err != nil {
		return err
	}
	client, err := p.connectToMakeKeys(ctx)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	replaced, err := p.existing(ctx, client, specs, f.rotate)
	if err != nil {
		return err
	}
	making := uuid.NewString()
	made, err := p.makeKeys(ctx, client, specs, making)
	if err == nil {
		err = p.printKeys(specs, made, f.output)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keys: %w", err), p.takeBack(ctx, client, specs, making, nil))
	}
	if err := p.takeBack(ctx, client, specs, making, made); err != nil {
		return err
	}
	return p.retire(ctx, client, replaced)
}

// parseKeys takes flags before, between and behind the uses.
func parseKeys(args []string) (keysFlags, error) {
	var f keysFlags
	flags := flag.NewFlagSet("keys", flag.ContinueOnError)
	flags.BoolVar(&f.rotate, "rotate", false, "")
	flags.StringVar(&f.output, "output", "json", "")
	flags.Func("expires", "", func(text string) error { return f.expires.UnmarshalText([]byte(text)) })
	for len(args) > 0 {
		rest, err := parseFlags(flags, args, len(args))
		if err != nil {
			return f, err
		}
		if args = nil; len(rest) > 0 {
			f.uses, args = append(f.uses, keys.Use(rest[0])), rest[1:]
		}
	}
	for i, use := range f.uses {
		switch {
		case !slices.Contains(keys.Uses(), use):
			return f, usageError{fmt.Errorf("keys: there is no key for %q: use run, setup, close or notify", string(use))}
		case slices.Contains(f.uses[:i], use):
			return f, usageError{fmt.Errorf("keys: %s is there twice", use)}
		}
	}
	switch {
	case f.output != "json" && f.output != "secret":
		return f, usageError{fmt.Errorf("--output: %q is neither json nor secret", f.output)}
	case isGiven(flags, "expires") && time.Duration(f.expires) < time.Minute:
		return f, usageError{errors.New("--expires: it is less than a minute")}
	case len(f.uses) == 0 && f.rotate:
		f.uses = []keys.Use{keys.Run}
	case len(f.uses) == 0:
		f.uses = []keys.Use{keys.Run, keys.Setup}
	}
	return f, nil
}

// keySpecs fits the keys to the settings that a run with them has.
func (p program) keySpecs(f keysFlags) ([]keys.Spec, error) {
	rules, err := p.rules(nil, nil, p.settings.MissingTerms)
	if err != nil {
		return nil, err
	}
	sources := map[string]bool{}
	for _, r := range rules {
		for _, index := range r.Search.Indices {
			sources[index] = true
		}
	}
	suffix := ""
	if p.settings.Namespace != "default" {
		suffix = "-" + p.settings.Namespace
	}
	var specs []keys.Spec
	for _, use := range f.uses {
		specs = append(specs, keys.Spec{
			Use: use, Name: "newterms-" + string(use) + suffix, Sources: slices.Sorted(maps.Keys(sources)),
			AlertsTarget: p.settings.AlertsTarget, RunsTarget: p.settings.RunsTarget,
			Space: p.settings.KibanaSpace, Expires: time.Duration(f.expires),
		})
	}
	return specs, nil
}

// connectToMakeKeys refuses to go on as anybody but a user.
func (p program) connectToMakeKeys(ctx context.Context) (*elastic.Client, error) {
	const asWhom = "set ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD to those of a user who may make API keys and has the rights that they get"
	who, err := p.settings.credentials()
	switch {
	case err != nil:
		return nil, err
	case who.apiKey != "":
		return nil, configError{errors.New("an API key is set, and a key that a key makes may do nothing: " + asWhom)}
	case who.username == "":
		return nil, configError{errors.New("no user is set: " + asWhom)}
	}
	client, err := p.connectAs(who, nil)
	if err != nil {
		return nil, err
	}
	if _, err := esquery.ServerVersion(ctx, client); err != nil {
		return nil, err
	}
	user, err := esquery.CurrentUser(ctx, client)
	if err == nil && user.SecurityOff {
		err = configError{errors.New("this Elasticsearch has no security, so that there are no API keys, and newterms needs none")}
	}
	return client, err
}

// existing returns the keys that are there already, which is an error unless
// they are to be replaced.
func (p program) existing(ctx context.Context, client *elastic.Client, specs []keys.Spec, replace bool) ([]keys.Valid, error) {
	var all []keys.Valid
	var refused []error
	for _, s := range specs {
		valid, err := keys.Find(ctx, client, s.Name, p.now())
		if err != nil {
			return nil, err
		}
		if len(valid) > 0 && !replace {
			refused = append(refused, keyExistsError{valid[0], s.Use})
		}
		all = append(all, valid...)
	}
	return all, errors.Join(refused...)
}

// makeKeys makes the keys and tries each.
func (p program) makeKeys(ctx context.Context, client *elastic.Client, specs []keys.Spec, making string) ([]keys.Key, error) {
	var made []keys.Key
	for _, s := range specs {
		key, err := keys.Make(ctx, client, s, making)
		if err != nil {
			return nil, err
		}
		made = append(made, key)
		ofKey, err := p.connectAs(credentials{apiKey: key.Encoded}, nil)
		if err == nil {
			err = keys.Try(ctx, ofKey, s)
		}
		if err != nil {
			return nil, err
		}
	}
	return made, nil
}

// takeBack invalidates what this making made, but for the keys that were
// printed: after a failure, also one by the user, and keys of which the answer
// was lost.
func (p program) takeBack(ctx context.Context, client *elastic.Client, specs []keys.Spec, making string, printed []keys.Key) error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	var names []string
	for _, s := range specs {
		names = append(names, s.Name)
	}
	kept := map[string]bool{}
	for _, k := range printed {
		kept[k.ID] = true
	}
	ids, err := keys.Unused(ctx, client, names, making, p.now(), kept)
	if err == nil {
		err = keys.Invalidate(ctx, client, ids)
	}
	if err != nil {
		return fmt.Errorf("keys: take back what nobody got: %w", err)
	}
	return nil
}

// retire invalidates the keys that others have replaced.
func (p program) retire(ctx context.Context, client *elastic.Client, replaced []keys.Valid) error {
	var ids []string
	for _, v := range replaced {
		ids = append(ids, v.ID)
	}
	if err := keys.Invalidate(ctx, client, ids); err != nil {
		return fmt.Errorf("keys: the new key was printed, and the old one works on: %w", err)
	}
	for _, v := range replaced {
		p.log.Info(fmt.Sprintf("invalidated API key %s (id %s)", v.Name, v.ID), "key", v.ID)
	}
	return nil
}
