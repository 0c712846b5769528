package show

import (
	"fmt"
	"io"
	"strings"

	"newterms/alerts/keys"
)

// Keys prints the keys that were made, in the order of their specs, with their secrets.
func Keys(out io.Writer, specs []keys.Spec, made []keys.Key, format Format) error {
	if format == Secret {
		_, err := io.WriteString(out, keySecrets(made))
		return err
	}
	byUse := map[keys.Use]keys.Key{}
	for i, s := range specs {
		byUse[s.Use] = made[i]
	}
	return Object(out, byUse)
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
