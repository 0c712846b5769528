package show

import (
	"runtime"
	"runtime/debug"
)

// A Build says from what the program was built.
type Build struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	// Revision is the commit, and Dirty whether files differed from it. They are left
	// out of a build without a checkout.
	Revision string `json:"revision,omitempty"`
	Time     string `json:"revision_time,omitempty"` // of the commit, RFC 3339 in UTC
	Dirty    *bool  `json:"dirty,omitempty"`
}

// BuildOf returns what this program says about its build.
func BuildOf(version string) Build {
	b := Build{Version: version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			dirty := s.Value == "true"
			b.Dirty = &dirty
		}
	}
	return b
}
