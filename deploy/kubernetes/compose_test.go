package kubernetes_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose loads a compose file as docker compose config does, with all profiles.
func compose(t *testing.T, file string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file}, cli.WithProfiles([]string{"*"}), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

// TestCompose loads the compose file and judges what a schema does not. There is
// no Docker engine here to run it.
func TestCompose(t *testing.T) {
	project, err := compose(t, "../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range composeProblems(t, project) {
		t.Error(problem)
	}
	t.Logf("services %v", project.ServiceNames())
}

// TestMutatedComposeFails breaks the compose file, a fault at a time.
func TestMutatedComposeFails(t *testing.T) {
	for _, fault := range []struct{ old, new, want string }{
		{"cap_drop:", "cap_dropp:", "cap_dropp"},
		{"condition: service_healthy", "condition: service_well", "depends_on.elasticsearch.condition value must be one of"},
		{"      kibana: {condition", "      kibanas: {condition", "kibanas"},
		{"      - go:/go", "      - gone:/go", "gone"},
		{"127.0.0.1:9200", "9200", "is open to others"},
		{"kibana:8.19.21", "kibana:8.19.20", "of one version"},
		{"golang:1.26.8", "golang:1.25.0", "builds with Go"},
		{"--kibana=", "--kibanas=", "has no flag --kibanas"},
		{"NEWTERMS_INDEX:", "NEWTERMS_INDICES:", "no variable NEWTERMS_INDICES"},
		{"..:/src:ro", "../cmd:/src:ro", "are not the sources"},
	} {
		file := filepath.Join(t.TempDir(), "compose.yaml")
		text, err := os.ReadFile("../compose.yaml")
		if err != nil {
			t.Fatal(err)
		}
		root, err := filepath.Abs("../..")
		if err != nil {
			t.Fatal(err)
		}
		broken := strings.Replace(string(text), fault.old, fault.new, 1)
		for _, path := range []string{"context: ..", "- .."} {
			broken = strings.Replace(broken, path, strings.TrimSuffix(path, "..")+root, 1)
		}
		if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		project, err := compose(t, file)
		var found []string
		if err != nil {
			found = []string{err.Error()}
		} else {
			found = composeProblems(t, project)
		}
		said := strings.Join(found, "; ")
		t.Logf("%-28s %.150s", fault.new, said)
		if !strings.Contains(said, fault.want) {
			t.Errorf("%s: want %q in %q", fault.new, fault.want, said)
		}
	}
}

func composeProblems(t *testing.T, project *types.Project) []string {
	t.Helper()
	var problems []string
	problem := func(text string) { problems = append(problems, text) }
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	job, demo := project.Services["newterms"], project.Services["demo"]
	if job.Build == nil || job.Build.Context != root || job.Build.Dockerfile != "deploy/Dockerfile" || len(job.Profiles) == 0 {
		problem("newterms is not built as for Kubernetes, or is up without being asked for")
	}
	for name := range job.Environment {
		if !slices.Contains(variables(t), name) {
			problem("newterms reads no variable " + name)
		}
	}
	if len(demo.Volumes) == 0 || demo.Volumes[0].Source != root || !demo.Volumes[0].ReadOnly || demo.Volumes[0].Target != demo.WorkingDir {
		problem("demo: the volumes are not the sources, to be read only")
	}
	for _, name := range []string{"elasticsearch", "kibana"} {
		if demo.DependsOn[name].Condition != types.ServiceConditionHealthy || project.Services[name].HealthCheck == nil {
			problem("demo does not wait for " + name)
		}
	}
	problems = append(problems, demoProblems(t, demo.Command)...)
	dockerfile, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(dockerfile), " "+demo.Image+" ") && !strings.Contains(string(dockerfile), " "+demo.Image+"@sha256:") {
		problem("the Dockerfile builds with Go of another image than " + demo.Image)
	}
	version := func(service string) string {
		return regexp.MustCompile(`:[^:]*$`).FindString(project.Services[service].Image)
	}
	if version("elasticsearch") != version("kibana") || version("kibana") == "" {
		problem("Elasticsearch and Kibana must be of one version")
	}
	for name, service := range project.Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				problem(name + ": port " + port.Published + " is open to others")
			}
		}
	}
	return problems
}

// demoProblems holds a command line of the demo against its flags.
func demoProblems(t *testing.T, command []string) (problems []string) {
	t.Helper()
	source, err := os.ReadFile("../../cmd/demo/demo.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(command) < 4 || strings.Join(command[:3], " ") != "go run ./cmd/demo" {
		return []string{"demo does not run the demo"}
	}
	for _, arg := range command[3:] {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if !strings.Contains(string(source), `, "`+name+`", "`) {
			problems = append(problems, "the demo has no flag --"+name)
		}
	}
	return problems
}
