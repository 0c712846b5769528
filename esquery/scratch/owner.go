package scratch

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// abandoned is the age from which scratch indices have no owner, whatever machine made
// them. No tests take that long.
const abandoned = 6 * time.Hour

// An owner is the process that has made scratch indices, as their names tell.
type owner struct {
	host  string // its first 8 digits of SHA-256
	pid   int
	began int64  // Unix time
	token string // tells owners apart that have the same pid in a second
}

func newOwner(now time.Time) owner {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	sum := sha256.Sum256([]byte(host))
	return owner{hex.EncodeToString(sum[:4]), os.Getpid(), now.Unix(), strings.ToLower(rand.Text()[:6])}
}

func (o owner) prefix() string {
	return fmt.Sprintf("%s%s-%d-%d-%s-", Prefix, o.host, o.pid, o.began, o.token)
}

func parseOwner(name string) (o owner, ok bool) {
	parts := strings.Split(strings.TrimPrefix(name, Prefix), "-")
	if len(parts) < 4 {
		return o, false
	}
	pid, pidErr := strconv.Atoi(parts[1])
	began, beganErr := strconv.ParseInt(parts[2], 10, 64)
	return owner{parts[0], pid, began, parts[3]}, pidErr == nil && beganErr == nil
}

// outlives reports whether the owner of an index has ended: it ran on this machine and
// its process is gone, or its indices are abandoned. Containers with the same host name
// but separate process ids need clusters of their own.
func (o owner) outlives(name string, now time.Time) bool {
	of, ok := parseOwner(name)
	switch {
	case !ok: // nobody's name
		return false
	case now.Sub(time.Unix(of.began, 0)) > abandoned:
		return true
	}
	return of.host == o.host && !isRunning(of.pid)
}

// isRunning reports whether a process of this machine runs, or may run.
func isRunning(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = process.Signal(syscall.Signal(0))
	return !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH)
}
