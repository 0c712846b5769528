package show

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"newterms/alerts/keys"
)

// Keys prints the keys that were made, in the order of their specs, with their secrets.
// instance is the label app.kubernetes.io/instance of Secrets.
func Keys(out io.Writer, specs []keys.Spec, made []keys.Key, format Format, instance string) error {
	if format == Secret {
		_, err := io.WriteString(out, keySecrets(made, instance))
		return err
	}
	byUse := map[keys.Use]keys.Key{}
	for i, s := range specs {
		byUse[s.Use] = made[i]
	}
	return Object(out, byUse)
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
