package show

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"newterms/alerts/keys"
)

// Keys prints the keys that were made, in the order of their specs, with their secrets.
// The namespace is part of the label app.kubernetes.io/instance of Secrets.
func Keys(out io.Writer, specs []keys.Spec, made []keys.Key, format Format, namespace string) error {
	if format == Secret {
		_, err := io.WriteString(out, keySecrets(made, instanceOf(namespace)))
		return err
	}
	byUse := map[keys.Use]keys.Key{}
	for i, s := range specs {
		byUse[s.Use] = made[i]
	}
	return Object(out, byUse)
}

// instanceOf returns the name of the CronJob to which a nameSuffix is added for another
// namespace.
func instanceOf(namespace string) string {
	if namespace == "default" {
		return "newterms"
	}
	instance := "newterms-" + namespace
	return strings.TrimRight(instance[:min(len(instance), 63)], "-.") // as long as a label may be
}

// MadeKey returns a sentence about a key, without its secret.
func MadeKey(k keys.Key) string {
	return fmt.Sprintf("made API key %s (id %s), which %s", k.Name, k.ID, lives(k.Ends()))
}

// KeptKey returns a sentence about a key in a file that is still valid.
func KeptKey(path string, spec keys.Spec, ends time.Time) string {
	return fmt.Sprintf("%s has the API key %s already, which %s", path, spec.Name, lives(ends))
}

// EndedKey returns a sentence about a key that was invalidated.
func EndedKey(key keys.Valid, nobodyGot bool) string {
	text := fmt.Sprintf("invalidated API key %s (id %s)", key.Name, key.ID)
	if nobodyGot {
		text += " again: it was not printed"
	}
	return text
}

// lives returns until when a key is valid; zero is for ever.
func lives(ends time.Time) string {
	if ends.IsZero() {
		return "does not expire"
	}
	return "expires at " + ends.UTC().Format(time.RFC3339)
}

// keySecrets returns the Secrets that deploy/kubernetes mounts, for kubectl apply
// --server-side in the job's namespace. Another way to apply would fill the annotation
// with the keys in plain text. If it is filled already, "" empties it, and keeps the
// server from filling it again.
func keySecrets(made []keys.Key, instance string) string {
	var documents []string
	for _, k := range made {
		documents = append(documents, fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata:
  name: %s
  labels:
    app.kubernetes.io/name: newterms
    app.kubernetes.io/part-of: newterms
    app.kubernetes.io/instance: %q
  annotations:
    newterms/api-key-id: %q
    kubectl.kubernetes.io/last-applied-configuration: ""
type: Opaque
data:
  api-key: %s
`, k.Name, instance, k.ID, base64.StdEncoding.EncodeToString([]byte(k.Encoded))))
	}
	return strings.Join(documents, "---\n")
}
