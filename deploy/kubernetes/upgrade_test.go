package kubernetes_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestTheNextVersionCanBeApplied renders what is here, and the same with another
// image and other settings, as the next version has. Applied over the other,
// each must find the same objects, none of which may differ in a part that the
// API server lets nobody change.
func TestTheNextVersionCanBeApplied(t *testing.T) {
	for _, overlay := range []string{"overlays/eck", "overlays/cloud"} {
		before, after := render(t, overlay), render(t, filepath.Join(nextVersion(t, ""), overlay))
		if before == after {
			t.Fatalf("%s: both versions are the same", overlay)
		}
		for _, problem := range unappliable(t, before, after) {
			t.Errorf("%s: %s", overlay, problem)
		}
	}
}

// TestTheFaultsOfUpgradesAreFound seeds what once made an apply fail, or left
// something behind.
func TestTheFaultsOfUpgradesAreFound(t *testing.T) {
	job := "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: once\nspec:\n  template:\n    spec:\n      containers:\n" +
		"        - {name: c, image: newterms, envFrom: [{configMapRef: {name: newterms}}]}\n"
	for _, fault := range []struct{ name, resource, old, new, want string }{
		{"a Job", job, "", "", "Job//once: spec.template cannot be changed"},
		{"a hash in a name", "", "      disableNameSuffixHash: true", "      disableNameSuffixHash: false", "is only in one version"},
		{"an immutable ConfigMap", "", "    options:\n", "    options:\n      immutable: true\n", "data cannot be changed"},
	} {
		folders := [2]string{nextVersion(t, fault.resource), nextVersion(t, fault.resource)}
		for i, folder := range folders {
			edit(t, filepath.Join(folder, "base/kustomization.yaml"), fault.old, fault.new)
			if i == 0 {
				edit(t, filepath.Join(folder, "base/kustomization.yaml"), "newTag: 0.2.0", "newTag: 0.1.0")
				edit(t, filepath.Join(folder, "base/settings.env"), "NEWTERMS_OVERLAP=5m", "NEWTERMS_OVERLAP=2m")
			}
		}
		problems := strings.Join(unappliable(t, render(t, folders[0]+"/base"), render(t, folders[1]+"/base")), "; ")
		t.Logf("%-24s %s", fault.name, problems)
		if !strings.Contains(problems, fault.want) {
			t.Errorf("%s: want %q", fault.name, fault.want)
		}
	}
}

// nextVersion is a copy of the manifests with what the next version changes, and
// with one more resource if there is one.
func nextVersion(t *testing.T, resource string) string {
	t.Helper()
	folder := copied(t)
	edit(t, filepath.Join(folder, "base/kustomization.yaml"), "newTag: 0.1.0", "newTag: 0.2.0")
	edit(t, filepath.Join(folder, "base/settings.env"), "NEWTERMS_OVERLAP=2m", "NEWTERMS_OVERLAP=5m")
	edit(t, filepath.Join(folder, "base/cronjob/cronjob.yaml"), "memory: 256Mi", "memory: 1Gi")
	if resource != "" {
		edit(t, filepath.Join(folder, "base/kustomization.yaml"), "  - secrets.yaml\n", "  - secrets.yaml\n  - more.yaml\n")
		if err := os.WriteFile(filepath.Join(folder, "base/more.yaml"), []byte(resource), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// copied is a copy of the manifests.
func copied(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, part := range []string{"base", "overlays", "openshift", "names", "monitoring"} {
		if err := os.CopyFS(filepath.Join(folder, part), os.DirFS(part)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// edit replaces a part of a file, which must be there. An empty part is nothing
// to replace.
func edit(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", file, old)
	}
	if old == "" {
		return
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// unappliable says what keeps documents from being applied over others, or is
// left behind by that.
func unappliable(t *testing.T, before, after string) []string {
	t.Helper()
	was, is := immutableParts(t, before), immutableParts(t, after)
	var problems []string
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, object := range slices.Sorted(maps.Keys(all)) {
		if was[object] == nil || is[object] == nil {
			problems = append(problems, object+" is only in one version")
			continue
		}
		for _, part := range slices.Sorted(maps.Keys(was[object])) {
			if was[object][part] != is[object][part] {
				problems = append(problems, object+": "+part+" cannot be changed")
			}
		}
	}
	return problems
}

// immutableParts are, by kind, namespace and name, the fields that the API
// server lets nobody change, as JSON.
func immutableParts(t *testing.T, documents string) map[string]map[string]string {
	t.Helper()
	parts := map[string]map[string]string{}
	for document := range strings.SplitSeq(documents, "\n---\n") {
		var o struct {
			Kind      string
			Metadata  struct{ Name, Namespace string }
			Immutable bool
			Data      any
			Type      any
			Spec      map[string]any
		}
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		fixed := map[string]any{}
		switch {
		case o.Kind == "Job":
			for _, name := range []string{"template", "selector", "completions", "completionMode", "podFailurePolicy"} {
				fixed["spec."+name] = o.Spec[name]
			}
		case o.Kind == "Secret":
			fixed["type"] = o.Type
		}
		if o.Immutable {
			fixed["data"] = o.Data
		}
		object := map[string]string{}
		for name, value := range fixed {
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			object[name] = string(text)
		}
		parts[strings.Join([]string{o.Kind, o.Metadata.Namespace, o.Metadata.Name}, "/")] = object
	}
	return parts
}
