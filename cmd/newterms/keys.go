package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"newterms/alerts/keys"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/show"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/job/grant"
	"newterms/job/rule"
)

const keysHelp = `makes API keys, each with the privileges that it needs

  newterms keys [run|setup|close|notify]... [FLAG]...

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
		if err := p.checkSecretNames(f.uses); err != nil {
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
		if specs, err = f.out.Without(ctx, specs, p.connectWithKey, p.logKept); err != nil || len(specs) == 0 {
			return err
		}
	}
	g := grant.Grant{
		Client: client, User: user, Specs: specs, Rules: rules, Now: p.now,
		Connect: func(encoded string) (*elastic.Client, error) {
			return p.connectAs(settings.Credentials{APIKey: encoded}, nil)
		},
		Warn: func(err error) { p.log.Warn(failure.Line(err)) },
		Ended: func(key keys.Valid, nobodyGot bool) {
			text := fmt.Sprintf("invalidated API key %s (id %s)", key.Name, key.ID)
			if nobodyGot {
				text += " again: it was not printed"
			}
			p.log.Info(text, "key", key.ID)
		},
	}
	return g.Make(ctx, f.rotate, func(made []keys.Key) error { return p.printKeys(specs, made, f) })
}

// printKeys writes the keys to stdout or to the folder of --out, and logs them without
// their secrets.
func (p program) printKeys(specs []keys.Spec, made []keys.Key, f keysFlags) error {
	var err error
	if f.out != "" {
		err = f.out.Write(made)
	} else {
		err = show.Keys(p.stdout, specs, made, f.output.Value, p.instance())
	}
	if err != nil {
		return fmt.Errorf("print the keys, which are invalidated: %w", err)
	}
	for _, k := range made {
		p.log.Info(fmt.Sprintf("made API key %s (id %s), which %s", k.Name, k.ID, lives(k.Ends())), "key", k.ID)
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

func (p program) logKept(path string, spec keys.Spec, ends time.Time) {
	p.log.Info(fmt.Sprintf("%s has the API key %s already, which %s", path, spec.Name, lives(ends)))
}

// lives returns until when a key is valid; zero is for ever.
func lives(ends time.Time) string {
	if ends.IsZero() {
		return "does not expire"
	}
	return "expires at " + ends.UTC().Format(time.RFC3339)
}

// instance returns the value of app.kubernetes.io/instance: the name of the CronJob to
// which a nameSuffix is added for another namespace.
func (p program) instance() string {
	if p.settings.Namespace == "default" {
		return "newterms"
	}
	instance := "newterms-" + p.settings.Namespace
	return strings.TrimRight(instance[:min(len(instance), 63)], "-.") // as long as a label may be
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
	for _, use := range uses {
		f.uses = append(f.uses, keys.Use(use))
	}
	for i, use := range f.uses {
		switch {
		case !slices.Contains(keys.Uses(), use):
			return f, failure.Usagef("keys: there is no key for %q: use run, setup, close or notify", string(use))
		case slices.Contains(f.uses[:i], use):
			return f, failure.Usagef("keys: %s is there twice", use)
		}
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

// keySpecs returns the keys that the settings and rules need.
func (p program) keySpecs(f keysFlags, rules []rule.Rule) []keys.Spec {
	sources := map[string]bool{}
	for _, r := range rules {
		for _, index := range r.Search.Indices {
			sources[index] = true
		}
	}
	var specs []keys.Spec
	for _, use := range f.uses {
		specs = append(specs, keys.Spec{
			Use: use, Name: p.keyName(use), Sources: slices.Sorted(maps.Keys(sources)),
			AlertsTarget: p.settings.AlertsTarget, RunsTarget: p.settings.RunsTarget,
			Space: p.settings.KibanaSpace, Expires: time.Duration(f.expires),
		})
	}
	return specs
}

func (p program) keyName(use keys.Use) string {
	name := "newterms-" + string(use)
	if p.settings.Namespace != "default" {
		name += "-" + p.settings.Namespace
	}
	return name
}

// secretName matches the names that Kubernetes accepts for a Secret, of at most 253
// characters.
//
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
var secretName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// checkSecretNames refuses keys whose names Kubernetes refuses for a Secret: nobody
// could apply what is printed.
func (p program) checkSecretNames(uses []keys.Use) error {
	for _, use := range uses {
		if name := p.keyName(use); len(name) > 253 || !secretName.MatchString(name) {
			return settings.Errorf("NEWTERMS_NAMESPACE: Kubernetes takes no Secret of the name %q, which has to be of a-z, 0-9, - and . alone: "+
				"choose another namespace, or print the key with --output json; no key was made", name)
		}
	}
	return nil
}

// connectToMakeKeys connects as a user. It refuses an API key, whose own keys could do
// nothing.
func (p program) connectToMakeKeys(ctx context.Context) (*elastic.Client, access.User, error) {
	var nobody access.User
	const asWhom = "set ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD to those of a user who may make API keys and has the rights that they get"
	who, err := p.settings.Credentials()
	switch {
	case err != nil:
		return nil, nobody, err
	case who.APIKey != "":
		return nil, nobody, settings.Errorf("an API key is set, and a key that a key makes may do nothing: " + asWhom)
	case who.Username == "":
		return nil, nobody, settings.Errorf("no user is set: " + asWhom)
	}
	client, err := p.connectAs(who, nil)
	if err != nil {
		return nil, nobody, err
	}
	if _, err := elastic.ServerVersion(ctx, client); err != nil {
		return nil, nobody, err
	}
	user, err := access.CurrentUser(ctx, client)
	if err == nil && user.SecurityOff {
		err = settings.Errorf("this Elasticsearch has no security, so that there are no API keys, and newterms needs none")
	}
	return client, user, err
}
