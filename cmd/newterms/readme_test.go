package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"newterms/esquery/estest"
)

// kubectlStandIn stands in for kubectl where deploy/kubernetes/once and the README call
// it. It keeps Secrets, and a Job is newterms with the key of its Secret.
const kubectlStandIn = `#!/bin/sh
echo "kubectl $*" >> "$WORK/calls"
case "$*" in
"apply -k "*) [ -f "$3/kustomization.yaml" ] ;;
"-n elastic apply -f -")
  cat > "$WORK/applied"
  [ -s "$WORK/applied" ] || { echo 'error: no objects passed to apply' >&2; exit 1; }
  printf -- '---\n' >> "$WORK/applied"; cat "$WORK/applied" "$WORK/secrets" > "$WORK/new"; mv "$WORK/new" "$WORK/secrets" ;;
*"create job"*) echo "$*" ;;
*"create -f -")
  use=$(sed -n 's/.*cronjob\/newterms-\([a-z]*\).*/\1/p')
  secret=$use; [ "$use" = setup ] || secret=run
  key=$(awk -v name="newterms-$secret-readme" '$1 == "name:" && $2 == name { ours = 1 } ours && $1 == "api-key:" { gsub(/"/, "", $2); print $2; exit }' "$WORK/secrets")
  if env ELASTICSEARCH_USERNAME= ELASTICSEARCH_PASSWORD= ELASTICSEARCH_API_KEY="$key" newterms "$use" > "$WORK/log" 2>&1
  then echo Complete > "$WORK/outcome"; else echo Failed > "$WORK/outcome"; fi ;;
*logs*) cat "$WORK/log" ;;
*"get job"*) cat "$WORK/outcome" ;;
esac
`

// readme runs the commands of deploy/README.md, copied from there, against the
// server: as they stand, a second time, and where they fail. Of Kubernetes it
// has a stand-in, and Docker is only called.
func (s *secure) readme(t *testing.T) {
	work := t.TempDir()
	for name, text := range map[string]string{
		"kubectl": kubectlStandIn, "docker": "#!/bin/sh\n", "sleep": "#!/bin/sh\n", "newterms": "#!/bin/sh\nexec \"$NEWTERMS\" \"$@\"\n",
	} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(work, "secrets"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// Says what the commands of a block print and whether the last one failed.
	do := func(block, ca string) (said string, failed bool) {
		t.Helper()
		text := strings.NewReplacer(
			"https://elasticsearch.example:9200", s.node.URL, "ELASTICSEARCH_CA=ca.crt", "ELASTICSEARCH_CA="+ca, "USERNAME=elastic", "USERNAME="+estest.Username,
		).Replace(block)
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", text)
		cmd.Dir, cmd.Stdin = "../..", strings.NewReader(estest.Password+"\n")
		cmd.Env = []string{
			"PATH=" + work + ":" + os.Getenv("PATH"), "WORK=" + work, "NEWTERMS=" + os.Args[0], asProgram + "=0s", "NEWTERMS_NAMESPACE=readme", "LOG_FORMAT=text",
			"ELASTICSEARCH_URL=" + s.node.URL, "ELASTICSEARCH_CA=" + ca, "ELASTICSEARCH_USERNAME=" + estest.Username, "ELASTICSEARCH_PASSWORD=" + estest.Password,
			"NEWTERMS_INDEX=logs-okta.system-*",
		}
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		s.say(out.String())
		t.Logf("%s\n%s(%v)", block, &out, err)
		return out.String(), err != nil
	}
	install, rotate, upgrade := readmeBlocks(t)
	if said, failed := do(install, ""); !failed || !strings.Contains(said, "set ELASTICSEARCH_CA to the certificate") || !strings.Contains(said, "no objects passed to apply") {
		t.Errorf("an authority that nobody knows: %s", said)
	}
	if left := s.validKeys(t, "readme"); len(left) > 0 {
		t.Errorf("there are keys that no Secret has: %v", left)
	}
	said, failed := do(install, s.node.CAFile)
	if failed || !strings.Contains(said, "installed index template") || !strings.Contains(said, "0 errors") {
		t.Errorf("the commands do not do what they say: %s", said)
	}
	both := []string{"newterms-run-readme", "newterms-setup-readme"}
	if said, failed := do(install, s.node.CAFile); !failed || !strings.Contains(said, "there is an API key newterms-run-readme already") {
		t.Errorf("the second time: %s", said)
	}
	if left := s.validKeys(t, "readme"); !slices.Equal(left, both) {
		t.Errorf("after the second time there are %v", left)
	}
	if said, failed := do(rotate, s.node.CAFile); failed || !strings.Contains(said, "invalidated API key newterms-run-readme") {
		t.Errorf("rotate: %s", said)
	}
	if said, failed := do("deploy/kubernetes/once elastic newterms-check", s.node.CAFile); failed || !strings.Contains(said, "0 errors") {
		t.Errorf("the new key: %s", said)
	}
	// As a day later, when the setup key has expired.
	s.node.Must(t, "DELETE", "/_security/api_key", map[string]any{"name": "newterms-setup-readme"})
	if said, failed := do("deploy/kubernetes/once elastic newterms-setup", s.node.CAFile); !failed || !strings.Contains(said, "401") {
		t.Errorf("an expired setup key: %s", said)
	}
	if said, failed := do(upgrade, s.node.CAFile); failed || !strings.Contains(said, "unchanged index template") {
		t.Errorf("upgrade: %s", said)
	}
	if left := s.validKeys(t, "readme"); !slices.Equal(left, both) {
		t.Errorf("in the end there are %v", left)
	}
	secrets, err := os.ReadFile(filepath.Join(work, "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range regexp.MustCompile(`  api-key: "(.*)"`).FindAllSubmatch(secrets, -1) {
		s.secrets = append(s.secrets, string(key[1])) // which only the Secrets may have
	}
}

// readmeBlocks are the commands that install newterms, rotate its key and
// upgrade it.
func readmeBlocks(t *testing.T) (install, rotate, upgrade string) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)\n```\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		switch commands := block[1]; {
		case strings.HasPrefix(commands, "docker build"):
			install = commands
		case strings.HasPrefix(commands, "newterms keys run --rotate"):
			rotate = commands
		case strings.HasPrefix(commands, "kubectl apply -k"):
			upgrade = commands
		}
	}
	if install == "" || rotate == "" || upgrade == "" {
		t.Fatalf("the README lacks commands: %q, %q, %q", install, rotate, upgrade)
	}
	return install, rotate, upgrade
}
