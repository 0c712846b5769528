package kubernetes_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// render does what kubectl kustomize does.
func render(t *testing.T, folder string) string {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// variables are those that the program reads, as its source says.
func variables(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../cmd/newterms/settings/settings.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok || field.Tag == nil {
			return true
		}
		tag, err := strconv.Unquote(field.Tag.Value)
		if name := reflect.StructTag(tag).Get("env"); err == nil && name != "" {
			names = append(names, name)
		}
		return true
	})
	if len(names) < 20 {
		t.Fatalf("only %d settings: %v", len(names), names)
	}
	return names
}

func TestManifests(t *testing.T) {
	for _, folder := range []string{"base", "overlays/eck", "overlays/cloud", "overlays/example-eck", "overlays/example-cloud"} {
		t.Run(folder, func(t *testing.T) {
			text := render(t, folder)
			for _, problem := range problemsOf(text, variables(t)) {
				t.Error(problem)
			}
			t.Logf("%d documents, %d lines", strings.Count(text, "\n---\n")+1, strings.Count(text, "\n"))
		})
	}
}

// TestMutatedManifestsFail breaks what is rendered, a fault at a time.
func TestMutatedManifestsFail(t *testing.T) {
	fine, names := render(t, "overlays/eck"), variables(t)
	for _, m := range []struct{ name, old, new, want string }{
		{"a field with a typo", "concurrencyPolicy:", "concurencyPolicy:", "unknown field"},
		{"a field in the wrong case", "backoffLimit:", "backofflimit:", "unknown field"},
		{"a field twice", "  schedule:", "  schedule: a\n  schedule:", "already set"},
		{"an unknown variable", "  NEWTERMS_OVERLAP:", "  NEWTERMS_OVERLAPS:", "reads no variable NEWTERMS_OVERLAPS"},
		{"a variable that is missing", "  NEWTERMS_MAX_ALERTS: \"0\"\n", "", "NEWTERMS_MAX_ALERTS is missing"},
		{"a secret in the ConfigMap", "  NEWTERMS_OVERLAP:", "  ELASTICSEARCH_API_KEY: x\n  NEWTERMS_OVERLAP:", "ELASTICSEARCH_API_KEY is missing, or has no place there"},
		{"a number for a text", "  NEWTERMS_MAX_ALERTS: \"0\"", "  NEWTERMS_MAX_ALERTS: 0", "cannot unmarshal"},
		{"root", "runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot != true"},
		{"no seccomp profile", "type: RuntimeDefault", "type: Unconfined", "seccompProfile"},
		{"a capability", "- ALL", "- CHOWN", "unrestricted capabilities"},
		{"privilege escalation", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "allowPrivilegeEscalation != false"},
		{"a root file system to write to", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "can be written to"},
		{"a schedule that is none", "*/5 * * * *", "*/5 * * *", "schedule: "},
		{"a time zone that is none", "timeZone: Etc/UTC", "timeZone: UTC/Etc", "timeZone: "},
		{"concurrent runs", "concurrencyPolicy: Forbid", "concurrencyPolicy: Allow", "must be Forbid"},
		{"an enum with a typo", "restartPolicy: Never", "restartPolicy: Newer", "restartPolicy is Newer"},
		{"a deadline beyond the interval", "activeDeadlineSeconds: 270", "activeDeadlineSeconds: 300", "activeDeadlineSeconds"},
		{"a retry of another exit code", "- 1\n", "- 1\n            - 77\n", "retry exit code 1 only"},
		{"a quantity that is none", "memory: 256Mi", "memory: 256Mb", "quantities"},
		{"a heap above the request", "memory: 64Mi", "memory: 32Mi", "a heap of 48 MiB does not fit"},
		{"another limit of the heap", "          containers:\n          - args:\n            - run\n            - --output\n            - none\n            envFrom:", "          containers:\n          - args:\n            - run\n            - --output\n            - none\n            env: [{name: GOMEMLIMIT, value: 460MiB}]\n            envFrom:", "GOMEMLIMIT replaces"},
		{"a limit of the Job", "      backoffLimit: 1\n", "      backoffLimit: 1\n      activeDeadlineSeconds: 270\n", "deletes its log"},
		{"a run without a retry", "      backoffLimit: 1\n", "      backoffLimit: 0\n", "the others are retried"},
		{"a check with retries", "      backoffLimit: 0\n", "      backoffLimit: 2\n", "a check makes one report"},
		{"a pause that stays", "  suspend: false\n", "", "suspend must be false"},
		{"a deadline beyond the pod's", "NEWTERMS_DEADLINE: 240s", "NEWTERMS_DEADLINE: 280s", "NEWTERMS_DEADLINE must be below"},
		{"a short history", "successfulJobsHistoryLimit: 10\n", "successfulJobsHistoryLimit: 1\n", "history limits"},
		{"another version", "app.kubernetes.io/version: 0.1.0\n        spec:", "app.kubernetes.io/version: 0.0.9\n        spec:", "is not that of the image"},
		{"a mount without a volume", "name: ca\n", "name: cas\n", "there is no volume ca"},
		{"a pod that the NetworkPolicy passes over", "      app.kubernetes.io/name: newterms\n  policyTypes", "      app.kubernetes.io/name: newtermz\n  policyTypes", "does not select the pod of the CronJob"},
		{"an image without a version", "newterms:0.1.0", "newterms", "names no version"},
		{"a job that starts at once", "suspend: true", "suspend: false", "must not start it"},
		{"a job with a time to start", "schedule: 0 0 31 2 *", "schedule: 0 0 31 1 *", "has a time to start"},
		{"a job that stays for good", "      ttlSecondsAfterFinished: 86400\n", "", "never removed"},
		{"a Job in what is applied", "kind: CronJob\n", "kind: Job\n", "unknown field"},
		{"a pod without a component", "            app.kubernetes.io/component: run\n", "", "cannot be selected"},
		{"a cause that only the log has", "            terminationMessagePolicy: FallbackToLogsOnError\n", "", "terminationMessagePolicy"},
		{"another ConfigMap", "        - configMapRef:\n                name: newterms", "        - configMapRef:\n                name: newterm", "names no ConfigMap"},
		{"a port that is closed", "port: 9200", "port: 9300", "is not open"},
		{"DNS of one cluster only", "    - namespaceSelector: {}\n", "    - podSelector: {}\n", "DNS must be open"},
		{"no DNS on the node", "cidr: 169.254.0.0/16", "cidr: 169.253.0.0/16", "DNS must be open"},
		{"DNS of the internet", "cidr: 10.0.0.0/8", "cidr: 0.0.0.0/0", "DNS must be open"},
		{"another API version", "apiVersion: batch/v1", "apiVersion: batch/v1beta1", "no kind"},
	} {
		broken := strings.Replace(fine, m.old, m.new, 1)
		found := strings.Join(problemsOf(broken, names), "\n")
		if broken == fine || !strings.Contains(found, m.want) {
			t.Errorf("%s: want %q in %q", m.name, m.want, found)
			continue
		}
		t.Logf("%-32s %.150s", m.name, found)
	}
}

// TestTheProgramTakesTheSettings runs it with the settings of each overlay and
// the arguments of each job, against a server that asks for another key.
func TestTheProgramTakesTheSettings(t *testing.T) {
	program := filepath.Join(t.TempDir(), "newterms")
	build := exec.Command("go", "build", "-o", program, "./cmd/newterms")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	key := filepath.Join(t.TempDir(), "api-key")
	if err := os.WriteFile(key, []byte("aWQ6a2V5\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("Authorization"), " aWQ6a2V5") {
			t.Errorf("the key is not read: %v", r.Header)
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	for _, folder := range []string{"overlays/eck", "overlays/cloud"} {
		m := read(render(t, folder), nil)
		var environ []string
		for _, config := range m.config {
			for name, value := range config.Data {
				environ = append(environ, name+"="+value)
			}
		}
		environ = append(environ, "ELASTICSEARCH_URL="+server.URL, "ELASTICSEARCH_CA=", "KIBANA_CA=", "ELASTICSEARCH_API_KEY_FILE="+key)
		pods := []corev1.PodSpec{m.cron.Spec.JobTemplate.Spec.Template.Spec}
		for _, job := range m.once {
			pods = append(pods, job.Spec.JobTemplate.Spec.Template.Spec)
		}
		for _, pod := range pods {
			args := slices.Clone(pod.Containers[0].Args)
			for i, arg := range args { // as Kubernetes does
				args[i] = strings.NewReplacer("$(FROM)", "2026-01-01", "$(TO)", "2026-01-02").Replace(arg)
			}
			cmd := exec.Command(program, args...)
			cmd.Env = environ
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 77 {
				t.Errorf("%s: newterms %v: %v: %s", folder, args, err, out)
			}
		}
	}
}
