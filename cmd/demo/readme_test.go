package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// compareREADME compares the README with what is printed: its first block with the
// output of the demo, other commands with what they print on the demo's server. A
// line … stands for lines that are left out. And it runs the commands of "Use it".
func compareREADME(t *testing.T, demo, url string) {
	t.Helper()
	bin := t.TempDir()
	if err := goTool(t.Context(), "../..", "build", "-o", filepath.Join(bin, "newterms"), "./cmd/newterms"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shell := func(commands string) (stdout, stderr string, err error) {
		cmd := exec.CommandContext(t.Context(), "bash", "-ec", commands)
		cmd.Dir = "../.." // where README's reader is
		for _, variable := range os.Environ() {
			if !strings.HasPrefix(variable, "NEWTERMS_") && !strings.HasPrefix(variable, "ELASTICSEARCH_") {
				cmd.Env = append(cmd.Env, variable)
			}
		}
		cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"), "ELASTICSEARCH_URL="+url, "LOG_FORMAT=text")
		var out, log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &log
		err = cmd.Run()
		return out.String(), log.String(), err
	}
	demo, _, _ = strings.Cut(demo, "\nElasticsearch is at ")
	compared, pasted := 0, 0
	for _, m := range regexp.MustCompile("(?ms)^```\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		block := m[1]
		switch {
		case strings.HasPrefix(block, "$ newterms setup\n"):
			compare(t, block, demo)
			compared++
		case strings.HasPrefix(block, "$ "):
			command, shown, _ := strings.Cut(strings.TrimPrefix(block, "$ "), "\n")
			printed, log, err := shell(command)
			if err != nil {
				t.Errorf("%s: %v\n%s", command, err, log)
			}
			compare(t, shown, printed)
			compared++
		case strings.HasPrefix(block, "newterms setup\n"):
			if strings.Contains(block, "#") {
				t.Errorf("an interactive zsh takes no comments:\n%s", block)
			}
			if printed, log, err := shell(block); err != nil {
				t.Errorf("the commands of the README: %v\n%s\n%s", err, printed, log)
			}
			pasted++
		}
	}
	if compared < 3 || pasted != 1 {
		t.Errorf("the README has %d blocks of output and %d of commands", compared, pasted)
	}
}

// compare reports a line of the README that is not printed where it stands.
func compare(t *testing.T, shown, printed string) {
	t.Helper()
	want, got := steady(shown), steady(printed)
	var pattern strings.Builder
	for line := range strings.Lines(want) {
		if line == "…\n" {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(regexp.QuoteMeta(line))
		}
		if !regexp.MustCompile(`\A` + pattern.String()).MatchString(got) {
			t.Errorf("the README shows\n%swhich is not printed there:\n%s", line, got)
			return
		}
	}
	if !regexp.MustCompile(`\A` + pattern.String() + `\z`).MatchString(got) {
		t.Errorf("the README leaves out the end of\n%s", got)
	}
}

// The days on which events lie depend on the hour of the day, and their number too.
var (
	days    = regexp.MustCompile(`(?m)(?:^ *DAY  \d+(?:  █+)?\n)+`)
	ofADay  = regexp.MustCompile(`DAY  (\d+)`)
	changes = []struct {
		pattern *regexp.Regexp
		stands  string
	}{
		{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), "TIME"},
		{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "SECOND"},
		{regexp.MustCompile(`(\.ds-\S*-)\d{4}\.\d\d\.\d\d-`), "${1}DAY-"},
		{regexp.MustCompile(`\d{4}-\d\d-\d\d`), "DAY"},
		{regexp.MustCompile(`\b([0-9a-f]{64}|[0-9a-f]{8}…)`), "ALERT"},
		{regexp.MustCompile(`(?m)^[0-9a-f]{8}  `), "ALERT  "},
		{regexp.MustCompile(`\brun [0-9a-f-]{36}`), "run RUN"},
		{regexp.MustCompile(`median day [\d.]+, worst day \d+ on`), "median day N, worst day N on"},
	}
)

// steady takes out what differs from day to day and from run to run. Of lines with
// days it leaves the sum.
func steady(text string) string {
	for _, c := range changes {
		text = c.pattern.ReplaceAllString(text, c.stands)
	}
	return days.ReplaceAllStringFunc(text, func(lines string) string {
		sum := 0
		for _, m := range ofADay.FindAllStringSubmatch(lines, -1) {
			n, _ := strconv.Atoi(m[1]) // it is of digits
			sum += n
		}
		return "DAYS " + strconv.Itoa(sum) + "\n"
	})
}
