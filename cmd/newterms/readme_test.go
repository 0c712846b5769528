package main

import (
	"bytes"
	"encoding/base64"
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
// it. It keeps Secrets, with the annotation that a client-side apply makes of them, and a
// Job is newterms with the key of its Secret.
const kubectlStandIn = `#!/bin/sh
echo "kubectl $*" >> "$WORK/calls"
case "$*" in
"apply -k "*) [ -f "$3/kustomization.yaml" ] ;;
"-n elastic apply "*"-f -")
  cat > "$WORK/applied"
  [ -s "$WORK/applied" ] || { echo 'error: no objects passed to apply' >&2; exit 1; }
  case "$*" in *--server-side*) ;; *) sed -n 's/^/last-applied: /;s/api-key: //p' "$WORK/applied" >> "$WORK/plain" ;; esac
  printf -- '---\n' >> "$WORK/applied"; cat "$WORK/applied" "$WORK/secrets" > "$WORK/new"; mv "$WORK/new" "$WORK/secrets" ;;
*"create job"*) echo "$*" ;;
"patch --local"*) cat ;;
*"create -f -")
  use=$(sed -n 's/.*cronjob\/newterms-\([a-z]*\).*/\1/p')
  secret=$use; [ "$use" = setup ] || secret=run
  key=$(awk -v name="newterms-$secret-readme" '$1 == "name:" && $2 == name { ours = 1 } ours && $1 == "api-key:" { print $2; exit }' "$WORK/secrets" | base64 -d)
  if env ELASTICSEARCH_USERNAME= ELASTICSEARCH_PASSWORD= ELASTICSEARCH_API_KEY="$key" newterms "$use" > "$WORK/log" 2>&1
  then echo Complete > "$WORK/outcome"; else echo Failed > "$WORK/outcome"; fi ;;
*exitCode*) echo 1 ;;
*"get pod -l"*phase*) echo pod ;;
*"get pod pod"*) echo Succeeded ;;
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
			"overlays/mine", "overlays/example-eck", "--out keys", "--out "+work+"/keys",
			"keys/newterms-close", work+"/keys/newterms-close-readme", "keys/newterms-notify", work+"/keys/newterms-notify-readme",
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
	blocks := readmeBlocks(t)
	install, rotate, upgrade := blocks["docker build"], blocks["newterms keys run --rotate"], blocks["newterms keys setup --rotate"]
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
	// The key in a file is made once. The second time it is found there.
	for block, does := range map[string]string{"newterms keys close --out": "ELASTICSEARCH_API_KEY_FILE=", "newterms keys notify --out": "KIBANA_API_KEY="} {
		at := strings.Index(blocks[block], does)
		if at < 0 {
			t.Fatalf("the block of %q lacks %q", block, does)
		}
		end := at + strings.Index(blocks[block][at:], "\n")
		for i, want := range []string{"made API key", "has the API key"} {
			if said, failed := do(blocks[block][:end], s.node.CAFile); failed || !strings.Contains(said, want) {
				t.Errorf("%s, time %d: want %q in %s", block, i+1, want, said)
			}
		}
	}
	files, err := os.ReadDir(filepath.Join(work, "keys"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		text, err := os.ReadFile(filepath.Join(work, "keys", file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		s.secrets = append(s.secrets, strings.TrimSpace(string(text)))
	}
	if plain, err := os.ReadFile(filepath.Join(work, "plain")); err == nil {
		t.Errorf("an annotation has a key: %s", plain)
	}
	secrets, err := os.ReadFile(filepath.Join(work, "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range regexp.MustCompile(`  api-key: (.*)`).FindAllSubmatch(secrets, -1) {
		decoded, err := base64.StdEncoding.DecodeString(string(key[1]))
		if err != nil {
			t.Fatal(err)
		}
		s.secrets = append(s.secrets, string(key[1]), string(decoded)) // which only the Secrets may have
	}
}

// readmeBlocks are blocks of commands, by how they begin.
func readmeBlocks(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, begins := range []string{"docker build", "newterms keys run --rotate", "newterms keys setup --rotate", "newterms keys close --out", "newterms keys notify --out"} {
		for _, block := range regexp.MustCompile("(?s)\n```\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(block[1], begins) {
				blocks[begins] = block[1]
			}
		}
		if blocks[begins] == "" {
			t.Fatalf("the README lacks the commands %s …", begins)
		}
	}
	return blocks
}
