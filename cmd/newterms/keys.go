package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"time"

	"newterms/alerts/keys"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/show"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/kibana"
	"newterms/job/grant"
	"newterms/job/rule"
)

const keysHelp = `makes API keys, each with the privileges that it needs

  newterms keys [run|setup|close|notify|compare]... [FLAG]...

A user makes keys: those for run and setup if none is named. They are printed
once, or written to a folder: there a key that is still valid stays.

  newterms keys --output secret |
    kubectl -n elastic apply --server-side --force-conflicts -f -
  newterms keys run --rotate
  newterms keys close --out keys
`

// keysFlags are the flags of `newterms keys`.
type keysFlags struct {
	uses    []keys.Use
	rotate  bool
	expires settings.Duration
	output  commandline.Choice[show.Format]
	out     grant.Folder // "" prints them
}

// keys makes API keys and prints them. After an error the old keys are unchanged,
// unless the error is about invalidating them.
func (p program) keys(ctx context.Context, args []string) error {
	f, err := parseKeys(args)
	if err != nil {
		return err
	}
	if f.output.Value == show.Secret {
		if err := grant.CheckSecretNames(f.uses, p.settings.Namespace); err != nil {
			return err
		}
	}
	rules, err := p.loadRules(nil, nil, p.settings.MissingTerms)
	if err != nil {
		return err
	}
	client, user, err := p.connectToMakeKeys(ctx)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	specs := p.keySpecs(f, rules)
	if f.out != "" {
		if err := f.out.Create(); err != nil {
			return settings.Errorf("--out: %w; no key was made", err)
		}
	}
	if f.out != "" && !f.rotate {
		has := func(path string, spec keys.Spec, ends time.Time) { p.log.Info(show.KeptKey(path, spec, ends)) }
		if specs, err = f.out.Without(ctx, specs, p.connectWithKey, has); err != nil || len(specs) == 0 {
			return err
		}
	}
	g := grant.Grant{
		Client: client, User: user, Specs: specs, Rules: rules, Now: p.now,
		Connect: func(encoded string) (*elastic.Client, error) {
			return p.connectAs(settings.Credentials{APIKey: encoded}, nil)
		},
		Warn:  func(err error) { p.log.Warn(failure.Line(err)) },
		Ended: func(key keys.Valid, nobodyGot bool) { p.log.Info(show.EndedKey(key, nobodyGot), "key", key.ID) },
	}
	return g.Make(ctx, f.rotate, func(made []keys.Key) error { return p.printKeys(specs, made, f) })
}

func (p program) keySpecs(f keysFlags, rules []rule.Rule) []keys.Spec {
	s := p.settings
	like := keys.Spec{AlertsTarget: s.AlertsTarget, RunsTarget: s.RunsTarget, OfKibana: []string{kibana.Alerts, kibana.Events}, Space: s.KibanaSpace, Expires: time.Duration(f.expires)}
	return grant.Specs(f.uses, like, s.Namespace, rules)
}

// printKeys writes the keys to stdout or to the folder of --out, and logs them without
// their secrets.
func (p program) printKeys(specs []keys.Spec, made []keys.Key, f keysFlags) error {
	var err error
	if f.out != "" {
		err = f.out.Write(made)
	} else {
		err = show.Keys(p.stdout, specs, made, f.output.Value, p.settings.Namespace)
	}
	if err != nil {
		return fmt.Errorf("print the keys, which are invalidated: %w", err)
	}
	for _, k := range made {
		p.log.Info(show.MadeKey(k), "key", k.ID)
	}
	return nil
}

// connectWithKey connects with a key from a file.
func (p program) connectWithKey(text string) (*elastic.Client, error) {
	credentials, err := settings.Settings{APIKey: text}.Credentials()
	if err != nil || credentials.APIKey == "" {
		return nil, settings.Errorf("it holds no API key")
	}
	return p.connectAs(credentials, nil)
}

func parseKeys(args []string) (keysFlags, error) {
	var f keysFlags
	flags := flag.NewFlagSet("keys", flag.ContinueOnError)
	flags.BoolVar(&f.rotate, "rotate", false, "make another key, try it, and invalidate the one there is\ndefault: off; example: newterms keys run --rotate")
	f.output.Define(flags, "output", printAs, show.JSON, show.Secret)
	commandline.Text(flags, (*string)(&f.out), "out", "it names no folder", "write each key to a file of its name in the folder `DIR`\ndefault: print them; example: --out keys")
	flags.Func("expires", "let the keys expire after the duration `D`\ndefault: the setup key in a day, others never; example: --expires 90d", func(text string) error { return f.expires.UnmarshalText([]byte(text)) })
	uses, err := commandline.Parse(flags, args, len(args))
	if err != nil {
		return f, err
	}
	for _, text := range uses {
		use := keys.Use(text)
		switch {
		case !slices.Contains(keys.Uses(), use):
			return f, failure.Usagef("keys: there is no key for %q: use run, setup, close, notify or compare", text)
		case slices.Contains(f.uses, use):
			return f, failure.Usagef("keys: %s is there twice", use)
		}
		f.uses = append(f.uses, use)
	}
	switch {
	case f.out != "" && commandline.IsGiven(flags, "output"):
		return f, failure.Usagef("keys: give --out or --output: a file of --out holds the key alone")
	case commandline.IsGiven(flags, "expires") && time.Duration(f.expires) < time.Minute:
		return f, failure.Usagef("--expires: it is less than a minute")
	case len(f.uses) == 0 && f.rotate:
		f.uses = []keys.Use{keys.Run}
	case len(f.uses) == 0:
		f.uses = []keys.Use{keys.Run, keys.Setup}
	}
	return f, nil
}

// connectToMakeKeys connects as a user.
func (p program) connectToMakeKeys(ctx context.Context) (*elastic.Client, access.User, error) {
	client, err := p.connectAs(p.settings.KeyMaker())
	if err == nil {
		_, err = elastic.ServerVersion(ctx, client)
	}
	if err != nil {
		return nil, access.User{}, err
	}
	user, err := access.CurrentUser(ctx, client)
	if err == nil && user.SecurityOff {
		err = settings.Errorf("this Elasticsearch has no security, so that there are no API keys, and newterms needs none")
	}
	return client, user, err
}
