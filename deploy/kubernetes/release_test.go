package kubernetes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestPinImages pins the base images of the Dockerfile, a second time to what is new
// then. docker only tells the digest.
func TestPinImages(t *testing.T) {
	bin, file := t.TempDir(), filepath.Join(t.TempDir(), "Dockerfile")
	original := read1(t, "../Dockerfile")
	write1(t, file, original, 0o600)
	pin := func(digest string) error {
		write1(t, filepath.Join(bin, "docker"), "#!/bin/sh\ncase \"$4\" in *@*) exit 1 ;; esac\necho "+digest+"\n", 0o700)
		cmd := exec.Command("../../.ci/pin-images", file)
		cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
		return cmd.Run()
	}
	for _, one := range []string{digest, strings.Replace(digest, "0", "f", 1)} {
		if err := pin(one); err != nil {
			t.Fatal(err)
		}
		text := read1(t, file)
		for _, want := range []string{" golang:1.26.8-bookworm@" + one + " AS source\n", "FROM gcr.io/distroless/static-debian12:nonroot@" + one + "\n", "FROM source AS build\n"} {
			if strings.Count(text, want) != 1 {
				t.Errorf("there is no %q in\n%s", want, text)
			}
		}
		if strings.ReplaceAll(text, "@"+one, "") != strings.Replace(original, "@"+digest, "", 2) {
			t.Errorf("more was changed:\n%s", text)
		}
	}
	if pin("nonsense") == nil {
		t.Error("an answer that is no digest is taken")
	}
}

// TestReleaseReady asks for a release of a copy that lacks one thing after the other.
func TestReleaseReady(t *testing.T) {
	folder := t.TempDir()
	for _, dir := range []string{".ci", "deploy/kubernetes/base", ".github"} {
		if err := os.MkdirAll(filepath.Join(folder, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".ci/release-ready", "deploy/Dockerfile", "deploy/kubernetes/base/kustomization.yaml"} {
		write1(t, filepath.Join(folder, name), read1(t, "../../"+name), 0o700)
	}
	dockerfile := strings.NewReplacer("bookworm ", "bookworm@"+digest+" ", ":nonroot\n", ":nonroot@"+digest+"\n").Replace(read1(t, "../Dockerfile"))
	write1(t, filepath.Join(folder, "deploy/Dockerfile"), dockerfile, 0o600)
	write1(t, filepath.Join(folder, ".github/CHANGELOG.md"), "# Changelog\n\n## [0.1.0] - 2026-03-10\n", 0o600)
	ready := func(tag, want string) {
		t.Helper()
		out, err := exec.Command(filepath.Join(folder, ".ci/release-ready"), tag).CombinedOutput()
		if (err == nil) != (want == "") || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s, want %q", tag, err, out, want)
		}
	}
	ready("v0.1.0", "")
	ready("v0.2.0", "kustomization.yaml has another version than 0.2.0")
	ready("latest", "is no version such as v0.1.0")
	write1(t, filepath.Join(folder, ".github/CHANGELOG.md"), "# Changelog\n\n## [Unreleased]\n", 0o600)
	ready("v0.1.0", "has no heading ## [0.1.0]")
	write1(t, filepath.Join(folder, ".github/CHANGELOG.md"), "## [0.1.0]\n", 0o600)
	write1(t, filepath.Join(folder, "deploy/Dockerfile"), strings.Replace(dockerfile, "@"+digest, "", 1), 0o600)
	ready("v0.1.0", "names an image without its digest: run .ci/pin-images")
}

func write1(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
