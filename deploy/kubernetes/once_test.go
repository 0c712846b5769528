package kubernetes_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kubectl stands in for it: it knows one CronJob, and the job ends as $OUTCOME
// says at the third question.
const kubectl = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
*"create job newterms-nope"*) echo 'cronjobs.batch "newterms-nope" not found' >&2; exit 1 ;;
*"create job"*) echo '{"kind":"Job"}' ;;
"set env"*) cat > /dev/null; echo '{"kind":"Job","env":"'"$*"'"}' ;;
*"create -f -"*) cat >> "$CALLS" ;;
*"get job"*failed*) echo 'job x failed: Pod failed with exit code 77' ;;
*"get job"*)
  [ "$OUTCOME" != Gone ] || { echo 'jobs.batch not found' >&2; exit 1; }
  [ "$(grep -c 'get job' "$CALLS")" -lt 3 ] || echo "$OUTCOME" ;;
*logs*) [ "$OUTCOME" != FailedByDeadline ] || exit 1; echo 'what newterms said' ;;
esac
`

// TestOnce runs the script that makes a Job and tells what became of it.
func TestOnce(t *testing.T) {
	bin := t.TempDir()
	// Nobody wants to wait for the seconds of a stand-in.
	for name, text := range map[string]string{"kubectl": kubectl, "sleep": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		outcome, args        string
		exit                 int
		stdout, stderr, call string
	}{
		{"Complete", "elastic newterms-check", 0, "what newterms said", "", "--namespace elastic create job newterms-check-"},
		{"SuccessCriteriaMet Complete", "elastic newterms-rerun FROM=2026-11-01 TO=2026-11-08", 0, "what newterms said", "", `"env":"set env --local -f - -o json FROM=2026-11-01 TO=2026-11-08"`},
		{"FailureTarget Failed", "elastic newterms-setup", 1, "what newterms said", "failed: Pod failed with exit code 77", ""},
		{"FailedByDeadline", "elastic newterms-check", 1, "", "job x failed", ""},
		{"Gone", "elastic newterms-check", 1, "", "is not known: kubectl --namespace elastic get job,pod -l batch.kubernetes.io/job-name=newterms-check-", ""},
		{"Complete", "elastic newterms-nope", 1, "", `"newterms-nope" not found`, ""},
		{"Complete", "newterms-check", 64, "", "deploy/kubernetes/once NAMESPACE CRONJOB", ""},
	} {
		calls := filepath.Join(t.TempDir(), "calls")
		var stdout, stderr bytes.Buffer
		cmd := exec.Command("sh", append([]string{"once"}, strings.Fields(c.args)...)...)
		cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "OUTCOME=" + c.outcome, "CALLS=" + calls}
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		said, _ := os.ReadFile(calls) // there is none where nothing was called
		if cmd.ProcessState.ExitCode() != c.exit || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) || !strings.Contains(string(said), c.call) {
			t.Errorf("once %s, %s: exit %d\n%s%s\ncalls:\n%s", c.args, c.outcome, cmd.ProcessState.ExitCode(), &stdout, &stderr, said)
		}
	}
}
