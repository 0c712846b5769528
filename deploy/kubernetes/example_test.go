package kubernetes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// chosen finds all that a user may choose, and nothing that is left of other names.
func chosen(t *testing.T, text string) {
	t.Helper()
	for _, problem := range problemsOf(text, variables(t)) {
		t.Error(problem)
	}
	for want, n := range map[string]int{
		"ELASTICSEARCH_URL: https://my-es-9-es-http.soc-1.svc:9200\n": 1, "KIBANA_URL: https://my-kb-kb-http.soc-1.svc:5601\n": 1,
		"elasticsearch.k8s.elastic.co/cluster-name: my-es-9\n": 1, "kibana.k8s.elastic.co/name: my-kb\n": 1,
		"name: my-es-9-es-http-certs-public\n": 4, "name: my-kb-kb-http-certs-public\n": 4,
		"image: registry.soc:5000/newterms:0.1.0\n": 4, "  namespace: soc-1\n": 7, "  NEWTERMS_INDEX: logs-*\n": 1, "  NEWTERMS_MAX_ALERTS: \"500\"\n": 1,
	} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q is there %d times, want %d", want, got, n)
		}
	}
	ours := regexp.MustCompile(`(elasticsearch|kibana)\.k8s\.elastic\.co|(elasticsearch|kibana)\.crt|NEWTERMS_NAMESPACE|TLS_SERVER_NAME`)
	if old := regexp.MustCompile(`.*(elastic|kibana|NAME|example).*`).FindAllString(ours.ReplaceAllString(text, ""), -1); old != nil {
		t.Errorf("there is still %q", old)
	}
}

// edited is the example with a choice for all that it names.
func edited(t *testing.T, folder string) string {
	t.Helper()
	example, err := os.ReadFile("overlays/example-eck/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(folder, "overlays/mine")
	if err := os.MkdirAll(mine, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(mine, "kustomization.yaml")
	if err := os.WriteFile(file, example, 0o600); err != nil {
		t.Fatal(err)
	}
	for old, new := range map[string]string{
		"namespace: elastic ": "namespace: soc-1 ", "elasticsearch=elasticsearch, kibana=kibana": "elasticsearch=my-es-9, kibana=my-kb",
		"newName: registry.example/newterms": "newName: registry.soc:5000/newterms", `"NEWTERMS_INDEX=logs-okta.system-*"`: `"NEWTERMS_INDEX=logs-*", NEWTERMS_MAX_ALERTS=500`,
	} {
		edit(t, file, old, new)
	}
	return mine
}

// TestOverlayOfOnesOwn edits a copy of the example for ECK, which touches no file that
// is here, and finds no old name.
func TestOverlayOfOnesOwn(t *testing.T) {
	chosen(t, render(t, edited(t, copied(t))))
	// As after a first edit of the overlay below: names with "-" are replaced as well.
	folder := copied(t)
	edit(t, filepath.Join(folder, "overlays/eck/kustomization.yaml"), "- elasticsearch=elasticsearch ", "- elasticsearch=other-es-http ")
	chosen(t, render(t, edited(t, folder)))
	lines := 0
	for line := range strings.Lines(strings.TrimSpace(read1(t, "overlays/example-eck/kustomization.yaml"))) {
		if !strings.HasPrefix(line, "#") {
			lines++
		}
	}
	if lines > 10 {
		t.Errorf("the example has %d lines", lines)
	}
}

func read1(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOverlayOfATag renders the same from a repository by its address and a tag, as
// kubectl does with https://…?ref=. It is a copy on this machine.
func TestOverlayOfATag(t *testing.T) {
	repository := t.TempDir()
	if err := os.CopyFS(filepath.Join(repository, "deploy/kubernetes"), os.DirFS(copied(t))); err != nil {
		t.Fatal(err)
	}
	commands := "git init -q && git add . && git -c user.name=t -c user.email=t@t.example commit -qm t && git tag v0.1.0 && " +
		"sed -i s/0.1.0/0.2.0/ deploy/kubernetes/base/kustomization.yaml && git -c user.name=t -c user.email=t@t.example commit -qam later"
	git := exec.Command("sh", "-ec", commands)
	git.Dir = repository
	if out, err := git.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	mine := edited(t, t.TempDir())
	for old, remote := range map[string]string{"[../eck]": "eck", "[../eck/names]": "eck/names"} {
		edit(t, filepath.Join(mine, "kustomization.yaml"), old, `["file://`+repository+"//deploy/kubernetes/overlays/"+remote+`?ref=v0.1.0"]`)
	}
	chosen(t, render(t, mine))
}

// TestRulesInTheOverlay gives the jobs rule files without a command beside kustomize.
func TestRulesInTheOverlay(t *testing.T) {
	folder := copied(t)
	if err := os.MkdirAll(filepath.Join(folder, "overlays/own"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "overlays/own/my_rule.toml"), []byte("[rule]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := overlay(t, folder, `
namespace: elastic
resources: [../eck]
transformers: [../eck/names]
configMapGenerator:
  - {name: newterms, behavior: merge, literals: [NEWTERMS_RULES=/etc/newterms/rules]}
  - {name: newterms-rules, behavior: merge, files: [my_rule.toml], options: {annotations: {config.kubernetes.io/local-config: "false"}}}
`)
	if !strings.Contains(text, "  my_rule.toml: |\n    [rule]\n") || strings.Count(text, "kind: ConfigMap") != 2 || strings.Contains(text, "newterms-rules-") {
		t.Error(text)
	}
}
