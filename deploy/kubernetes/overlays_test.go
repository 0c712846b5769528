package kubernetes_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// overlay renders a kustomization of somebody's own, beside those that are here.
func overlay(t *testing.T, folder, kustomization string) string {
	t.Helper()
	own := filepath.Join(folder, "overlays/own")
	if err := os.MkdirAll(own, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(own, "kustomization.yaml"), []byte(kustomization), 0o600); err != nil {
		t.Fatal(err)
	}
	return render(t, own)
}

// TestECKNames renames all that the overlay for ECK names, each in one place,
// and finds no old name.
func TestECKNames(t *testing.T) {
	folder := copied(t)
	file := filepath.Join(folder, "overlays/eck/kustomization.yaml")
	edit(t, file, "namespace: elastic\n", "namespace: soc-1\n")
	edit(t, file, "- elasticsearch=elasticsearch ", "- elasticsearch=my-es-http-9 ")
	edit(t, file, "- kibana=kibana ", "- kibana=my-kb ")
	text := render(t, filepath.Join(folder, "overlays/eck"))
	for _, problem := range problemsOf(text, variables(t)) {
		t.Error(problem)
	}
	for _, want := range []string{
		"ELASTICSEARCH_URL: https://my-es-http-9-es-http.soc-1.svc:9200\n", "KIBANA_URL: https://my-kb-kb-http.soc-1.svc:5601\n",
		"elasticsearch.k8s.elastic.co/cluster-name: my-es-http-9\n", "kibana.k8s.elastic.co/name: my-kb\n",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q must be there once", want)
		}
	}
	for _, want := range []string{"name: my-es-http-9-es-http-certs-public\n", "name: my-kb-kb-http-certs-public\n"} {
		if strings.Count(text, want) != 4 {
			t.Errorf("%q must be in each of four jobs, is in %d", want, strings.Count(text, want))
		}
	}
	ours := regexp.MustCompile(`(elasticsearch|kibana)\.k8s\.elastic\.co|(elasticsearch|kibana)\.crt|NEWTERMS_NAMESPACE|TLS_SERVER_NAME`)
	if old := regexp.MustCompile(`.*(elastic|kibana|NAME).*`).FindAllString(ours.ReplaceAllString(text, ""), -1); old != nil {
		t.Errorf("there is still %q", old)
	}
	if strings.Contains(text, "kind: ConfigMap\nmetadata:\n  name: names") || strings.Count(text, "kind: ConfigMap") != 1 {
		t.Error("what only replaces names would be applied")
	}
}

// TestTwoInstances renders a second one for the namespace of the first. It shares
// no name, Secrets included.
func TestTwoInstances(t *testing.T) {
	text := overlay(t, copied(t), `
namespace: elastic
resources: [../eck]
transformers: [../eck/names]
nameSuffix: -two
configMapGenerator:
  - {name: newterms, behavior: merge, literals: [NEWTERMS_NAMESPACE=two]}
`)
	for _, problem := range problemsOf(text, variables(t)) {
		t.Error(problem)
	}
	for _, want := range []string{
		"  name: newterms-check-two\n", "  name: newterms-two\n", "secretName: newterms-run-two\n", "secretName: newterms-setup-two\n",
		"serviceAccountName: newterms-two\n", "name: newterms-rules-two\n", "NEWTERMS_NAMESPACE: two\n", "      app.kubernetes.io/instance: newterms-two\n      app.kubernetes.io/name: newterms\n  policyTypes:", "name: elasticsearch-es-http-certs-public\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q", want)
		}
	}
	first := render(t, "overlays/eck")
	names := regexp.MustCompile(`(?m)^  name: \S+$|(secretName|serviceAccountName|configMapRef:\n\s+name|app.kubernetes.io/instance): \S+`)
	for _, name := range names.FindAllString(text, -1) {
		if strings.Contains(first, name+"\n") {
			t.Errorf("both have %q", name)
		}
	}
}

// TestOpenShift renders pods without the users that OpenShift refuses.
func TestOpenShift(t *testing.T) {
	folder := copied(t)
	for _, base := range []string{"eck", "cloud"} {
		text := overlay(t, folder, "resources: [../"+base+"]\ncomponents: [../../openshift]\n")
		for _, problem := range problemsOf(text, variables(t)) {
			t.Error(problem)
		}
		if strings.Contains(text, "runAsUser") || strings.Contains(text, "fsGroup") || strings.Count(text, "runAsNonRoot: true") != 4 {
			t.Errorf("a user is fixed, or may be root: %s", text)
		}
	}
}

// TestOtherRegistry renders an image by its digest, from a registry that asks for
// credentials.
func TestOtherRegistry(t *testing.T) {
	const zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	text := overlay(t, copied(t), `
resources: [../eck]
images: [{name: registry.example/newterms, newName: other.example/newterms, digest: "`+zeros+`"}]
patches:
  - patch: |
      apiVersion: v1
      kind: ServiceAccount
      metadata: {name: newterms, namespace: elastic}
      imagePullSecrets: [{name: registry}]
`)
	for _, problem := range problemsOf(text, variables(t)) {
		t.Error(problem)
	}
	if strings.Count(text, "image: other.example/newterms@"+zeros) != 4 || !strings.Contains(text, "imagePullSecrets:\n- name: registry\n") {
		t.Error(text)
	}
}

// TestPrometheusRule reads the example alarm: it must be about the CronJob of the
// overlay, whatever its name and namespace are.
func TestPrometheusRule(t *testing.T) {
	text := overlay(t, copied(t), "namespace: soc\nnameSuffix: -two\nresources: [../eck, ../../monitoring]\ntransformers: [../eck/names]\n")
	m := read(text, nil)
	at := strings.Index(text, "apiVersion: monitoring.coreos.com/v1\n")
	if at < 0 {
		t.Fatal(text)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var rule struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name      string            `json:"name"`
			Namespace string            `json:"namespace"`
			Labels    map[string]string `json:"labels"`
		} `json:"metadata"`
		Spec struct {
			Groups []struct {
				Name  string `json:"name"`
				Rules []struct {
					Alert       string            `json:"alert"`
					Expr        string            `json:"expr"`
					For         string            `json:"for"`
					Labels      map[string]string `json:"labels"`
					Annotations map[string]string `json:"annotations"`
				} `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}
	if err := yaml.UnmarshalStrict([]byte(strings.Split(text[at:], "\n---\n")[0]), &rule); err != nil {
		t.Fatal(err)
	}
	if rule.APIVersion != "monitoring.coreos.com/v1" || rule.Kind != "PrometheusRule" || len(rule.Spec.Groups) != 1 || len(rule.Spec.Groups[0].Rules) != 2 {
		t.Fatalf("got %+v", rule)
	}
	if m.cron == nil || m.cron.Name != "newterms-two" || m.cron.Namespace != "soc" {
		t.Fatalf("the CronJob is %+v", m.cron)
	}
	want := `kube_cronjob_status_last_successful_time{namespace="` + m.cron.Namespace + `", cronjob="` + m.cron.Name + `"}`
	for _, r := range rule.Spec.Groups[0].Rules {
		if !strings.Contains(r.Expr, want) || r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
			t.Errorf("%s: %+v, want %s", r.Alert, r, want)
		}
		_, heading, _ := strings.Cut(r.Annotations["runbook_url"], "deploy/README.md#")
		if heading == "" || !strings.Contains(strings.ToLower(string(readme)), "\n### "+strings.ReplaceAll(heading, "-", " ")+"\n") {
			t.Errorf("%s: deploy/README.md has no heading %q", r.Alert, heading)
		}
	}
}
