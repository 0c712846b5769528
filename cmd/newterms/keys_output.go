package main

import (
	"fmt"
	"strings"
	"time"

	"newterms/alerts/keys"
	"newterms/cmd/newterms/show"
)

// printKeys writes the keys to stdout, and logs them without their secrets.
func (p program) printKeys(specs []keys.Spec, made []keys.Key, format show.Format) error {
	text, err := keysJSON(specs, made)
	if format == show.Secret {
		text = keySecrets(made)
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(p.stdout, text); err != nil {
		return fmt.Errorf("print the keys, which are invalidated: %w", err)
	}
	for _, k := range made {
		lives := "does not expire"
		if !k.Ends().IsZero() {
			lives = "expires at " + k.Ends().Format(time.RFC3339)
		}
		p.log.Info(fmt.Sprintf("made API key %s (id %s), which %s", k.Name, k.ID, lives), "key", k.ID)
	}
	return nil
}

// keysJSON returns an object of the keys by use, each as Elasticsearch returned it.
func keysJSON(specs []keys.Spec, made []keys.Key) (string, error) {
	byUse := map[keys.Use]keys.Key{}
	for i, s := range specs {
		byUse[s.Use] = made[i]
	}
	var text strings.Builder
	err := show.Object(&text, byUse)
	return text.String(), err
}

// keySecrets returns the Secrets that deploy/kubernetes mounts, for kubectl apply -f -
// in the job's namespace.
func keySecrets(made []keys.Key) string {
	var documents []string
	for _, k := range made {
		documents = append(documents, fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata:
  name: %s
  labels:
    app.kubernetes.io/name: newterms
    app.kubernetes.io/part-of: newterms
  annotations:
    newterms/api-key-id: %q
type: Opaque
stringData:
  api-key: %q
`, k.Name, k.ID, k.Encoded))
	}
	return strings.Join(documents, "---\n")
}
