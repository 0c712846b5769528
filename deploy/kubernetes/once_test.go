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
// says at the fourth question. Its two pods have started at the second.
const kubectl = `#!/bin/sh
echo "$*" >> "$CALLS"
asked() { grep -c 'get job' "$CALLS"; }
case "$*" in
*"create job newterms-nope"*) echo 'cronjobs.batch "newterms-nope" not found' >&2; exit 1 ;;
*"create job"*) echo '{"kind":"Job"}' ;;
"patch --local"*) cat > /dev/null; echo '{"kind":"Job","patched":"'"$*"'"}' ;;
"set env"*) sed 's/{/{"env":"'"$*"'",/' ;;
*"create -f -"*) cat >> "$CALLS" ;;
*"get job"*failed*) echo 'job x failed: Pod failed with exit code 77' ;;
*"get job"*)
  [ "$OUTCOME" != Gone ] || { echo 'Error from server (NotFound): jobs.batch "x" not found' >&2; exit 1; }
  [ "$OUTCOME" != Away ] || { echo 'connection refused' >&2; exit 1; }
  [ "$(asked)" -lt 4 ] || echo "$OUTCOME" ;;
*exitCode*) [ "$OUTCOME" = FailedByDeadline ] || echo 77 ;;
*"get pod -l"*phase*) [ "$(asked)" -lt 2 ] || [ "$OUTCOME" = FailedByDeadline ] || printf 'x-1\nx-2\n' ;;
*"get pod x-1"*) [ "$(grep -c 'logs.* x-1' "$CALLS")" -lt 2 ] && echo Running || echo Failed ;;
*"get pod x-2"*) [ "$(grep -c 'get pod x-2' "$CALLS")" -lt 3 ] && echo Running || echo Succeeded ;;
*"logs -f x-1") [ "$OUTCOME" != Interrupted ] || kill -INT "$PPID"; echo 'the beginning of x-1' ;;
*"logs -f --since-time="*" x-1") echo 'the rest of x-1'; exit 1 ;;
*"logs -f --since-time="*" x-2") echo 'the end again' ;;
*"logs -f x-2") echo 'what x-2 said' ;;
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
	const log = "the beginning of x-1\nthe rest of x-1\nwhat x-2 said\n"
	for _, c := range []struct {
		outcome, args        string
		exit                 int
		stdout, stderr, call string
	}{
		{"Complete", "elastic newterms-check", 0, log, "another attempt, pod x-2:", "--namespace elastic create job newterms-check-"},
		{"Complete", "elastic newterms-check", 0, log, "", `"patched":"patch --local -f - --type=json -p [{"op":"remove","path":"/metadata/ownerReferences"}]`},
		{"SuccessCriteriaMet Complete", "elastic newterms-rerun FROM=2026-11-01 TO=2026-11-08", 0, log, "", `"env":"set env --local -f - -o json FROM=2026-11-01 TO=2026-11-08","kind":"Job","patched"`},
		{"FailureTarget Failed", "elastic newterms-setup", 77, log, "failed: Pod failed with exit code 77", ""},
		{"FailedByDeadline", "elastic newterms-check", 1, "", "job x failed", ""},
		{"Gone", "elastic newterms-check", 1, "", "(NotFound): jobs.batch \"x\" not found\nwhat became of job newterms-check-", ""},
		{"Away", "elastic newterms-check", 1, "", "connection refused\nwhat became of job newterms-check-", ""},
		{"Interrupted", "elastic newterms-check", 130, "", "goes on. Its log: kubectl --namespace elastic logs -f job/newterms-check-", ""},
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
		if questions := strings.Count(string(said), "get job"); c.outcome == "Gone" && questions != 1 {
			t.Errorf("it asked %d times for a Job that is not there", questions)
		}
		if cmd.ProcessState.ExitCode() != c.exit || c.stdout != "" && stdout.String() != c.stdout || !strings.Contains(stderr.String(), c.stderr) || !strings.Contains(string(said), c.call) {
			t.Errorf("once %s, %s: exit %d\n%s%s\ncalls:\n%s", c.args, c.outcome, cmd.ProcessState.ExitCode(), &stdout, &stderr, said)
		}
	}
}
