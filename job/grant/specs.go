package grant

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"newterms/alerts/keys"
	"newterms/job/rule"
)

// Specs returns the keys of some uses: like a spec, with their names in a namespace, and
// with the indices of the rules.
func Specs(uses []keys.Use, like keys.Spec, namespace string, rules []rule.Rule) []keys.Spec {
	sources := map[string]bool{}
	for _, r := range rules {
		for _, index := range r.Search.Indices {
			sources[index] = true
		}
	}
	like.Sources = slices.Sorted(maps.Keys(sources))
	var specs []keys.Spec
	for _, use := range uses {
		like.Use, like.Name = use, nameOf(use, namespace)
		specs = append(specs, like)
	}
	return specs
}

func nameOf(use keys.Use, namespace string) string {
	name := "newterms-" + string(use)
	if namespace != "default" {
		name += "-" + namespace
	}
	return name
}

// A SecretNameError reports the name of a key that Kubernetes refuses for a Secret.
type SecretNameError struct{ Name string }

func (e *SecretNameError) Error() string {
	return fmt.Sprintf("NEWTERMS_NAMESPACE: Kubernetes takes no Secret of the name %q, which has to be of a-z, 0-9, - and . alone: "+
		"choose another namespace, or print the key with --output json; no key was made", e.Name)
}

// secretName matches the names that Kubernetes accepts for a Secret, of at most 253
// characters.
//
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
var secretName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// CheckSecretNames returns a *SecretNameError if nobody could apply a key as a Secret.
func CheckSecretNames(uses []keys.Use, namespace string) error {
	for _, use := range uses {
		if name := nameOf(use, namespace); len(name) > 253 || !secretName.MatchString(name) {
			return &SecretNameError{name}
		}
	}
	return nil
}
