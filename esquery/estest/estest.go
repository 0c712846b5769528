// Package estest starts a real single-node Elasticsearch on loopback, for
// tests and for the demo, from the jars that Elastic publishes on Maven
// Central. It needs Maven and a JDK: 17 or later for 8.x, 21 or later for 9.x.
//
// What the published jars lack: painless (so no scripts), the wildcard,
// constant_keyword and scaled_float fields, the top_metrics aggregation, ES|QL,
// ILM and the _data_stream API. Data streams themselves work, and
// CreateDataStream stands in for the API that creates them. Of 9.x they lack security and GET / as well.
package estest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Version is the Elasticsearch version that Start boots: 8.19.21, or the one
// that ELASTICSEARCH_TEST_VERSION names.
func Version() string { return cmp.Or(os.Getenv("ELASTICSEARCH_TEST_VERSION"), "8.19.21") }

// startTimeout is generous: a start takes about 6 s on 2 idle cores, and many
// times as long beside other work.
const startTimeout = 10 * time.Minute

// The superuser of a node with Options.Security. It guards nothing but
// temporary data on loopback.
const (
	Username = "admin"
	Password = "changeme"
)

// The file realm's bcrypt hash of Password.
const passwordHash = "$2a$10$XJG05aE7l3bNrZ4.W8MDvegnWKaptOefk5qlbIWjt/vN1QAdmn.Ri"

// Options of Start. The zero value is a node without security.
type Options struct {
	Security bool             // users and API keys; see Username and Password
	TLS      bool             // https, with a certificate for 127.0.0.1
	Progress func(did string) // nil, or called before each slow step
}

// A Node is a running Elasticsearch. It ends with Stop, and also when this
// process ends in whatever way.
type Node struct {
	URL    string // without a trailing slash or credentials
	CAFile string // PEM, with Options.TLS

	secured bool         // requests are Username's
	client  *http.Client // nil is the default one
	stdin   io.Closer
	ended   <-chan error
}

// Start boots a node on a free loopback port, with a 640 MB heap and its data in a
// temporary folder, in memory where that has room. The first call on a machine downloads
// the jars to the user's cache folder. It returns when the node serves requests.
func Start(ctx context.Context, o Options) (*Node, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	version := Version()
	if (o.Security || o.TLS) && major(version) != 8 {
		return nil, fmt.Errorf("start Elasticsearch %s: its security is not published as jars: leave out the security tests "+
			"(go test -skip '^TestSecurity') or ELASTICSEARCH_TEST_VERSION", version)
	}
	dist, err := distribution(ctx, version, o.Progress)
	if err != nil {
		return nil, fmt.Errorf("lay out Elasticsearch %s: %w", version, err)
	}
	home, err := makeHome()
	if err != nil {
		return nil, err
	}
	node, err := boot(ctx, version, dist, home, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start Elasticsearch %s: %w", version, err), os.RemoveAll(home))
	}
	return node, nil
}

// makeHome makes the folder of a node in memory, if there is room and TMPDIR is not set.
func makeHome() (string, error) {
	const pattern = "newterms-elasticsearch-"
	if os.Getenv("TMPDIR") == "" && hasRoom() {
		if home, err := os.MkdirTemp(inMemory, pattern); err == nil {
			return home, nil
		}
	}
	return os.MkdirTemp("", pattern)
}

// Stop ends the node and deletes its data.
func (n *Node) Stop() error {
	if n.stdin == nil {
		return nil // a server that was running before us
	}
	if err := n.stdin.Close(); err != nil {
		return err
	}
	return <-n.ended
}

func boot(ctx context.Context, version, dist, home string, o Options) (*Node, error) {
	settings, err := configure(version, home, dist, o)
	if err != nil {
		return nil, err
	}
	java, err := javaTool("java", version)
	if err != nil {
		return nil, err
	}
	o.Progress("starting Elasticsearch " + version)
	args := append([]string{
		// A node lives for minutes: the job's random tests took 91 s with the
		// first compiler alone and 150 s with both.
		// With 512 MB a node of 9.5.3 turned requests away at the end of esquery's tests.
		"-Xms640m", "-Xmx640m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", filepath.Join(dist, "classes") + string(os.PathListSeparator) + filepath.Join(dist, "lib", "*"),
		"local.Launcher", home,
	}, settings...)
	cmd := exec.Command(java, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	log := follow(output)
	ended := make(chan error, 1)
	go func() {
		<-log.closed // Wait closes the pipe, so the log must have ended
		ended <- cmd.Wait()
	}()
	node := &Node{secured: o.Security, stdin: stdin, ended: ended}
	select {
	case port := <-log.port:
		node.URL = "http://127.0.0.1:" + port
		if o.TLS {
			node.URL, node.CAFile = "https://127.0.0.1:"+port, filepath.Join(home, "config", "ca.pem")
			node.client, err = trusting(node.CAFile)
		}
		return node, err
	case <-log.closed:
		return nil, fmt.Errorf("it ended at once: %w\n%s", <-ended, log.tail())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), node.Stop())
	case <-time.After(startTimeout):
		return nil, errors.Join(fmt.Errorf("not up after %s\n%s", startTimeout, log.tail()), node.Stop())
	}
}

// configure writes the node's home folder and returns its settings.
func configure(version, home, dist string, o Options) ([]string, error) {
	config := filepath.Join(home, "config")
	for _, dir := range []string{"config", "logs", "plugins", "data"} {
		if err := os.Mkdir(filepath.Join(home, dir), 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.Symlink(filepath.Join(dist, "modules"), filepath.Join(home, "modules")); err != nil {
		return nil, err
	}
	settings := []string{
		"node.name=local", "cluster.name=newterms", "discovery.type=single-node",
		"network.host=127.0.0.1", "http.port=0", "transport.port=0",
		"cluster.routing.allocation.disk.threshold_enabled=false",
		// Elasticsearch 9 counts a document of 35 MiB as 140, and a tenth of the heap is all that it takes at once.
		"indexing_pressure.memory.limit=50%",
	}
	if major(version) == 8 {
		settings = append(settings, "xpack.security.enrollment.enabled=false", fmt.Sprintf("xpack.security.enabled=%t", o.Security))
	}
	if o.Security {
		for name, text := range map[string]string{
			"users": Username + ":" + passwordHash + "\n", "users_roles": "superuser:" + Username + "\n", "roles.yml": "",
		} {
			if err := os.WriteFile(filepath.Join(config, name), []byte(text), 0o600); err != nil {
				return nil, err
			}
		}
	}
	if o.TLS {
		if err := WriteCertificates(config, "127.0.0.1", time.Now().Add(24*time.Hour)); err != nil {
			return nil, fmt.Errorf("make a certificate: %w", err)
		}
		settings = append(settings, "xpack.security.http.ssl.enabled=true",
			"xpack.security.http.ssl.certificate=node.pem", "xpack.security.http.ssl.key=node.key")
	}
	return settings, nil
}

// logFollower reads a node's output to its end and keeps the last lines.
type logFollower struct {
	port   chan string
	closed chan struct{}

	mu    sync.Mutex
	lines []string
}

func follow(output io.Reader) *logFollower {
	f := &logFollower{port: make(chan string, 1), closed: make(chan struct{})}
	go func() {
		defer close(f.closed)
		scanner := bufio.NewScanner(output)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			if port, ok := strings.CutPrefix(scanner.Text(), "STARTED "); ok {
				f.port <- port
			}
			f.mu.Lock()
			f.lines = append(f.lines[max(0, len(f.lines)-19):], scanner.Text())
			f.mu.Unlock()
		}
	}()
	return f
}

func (f *logFollower) tail() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(slices.Clone(f.lines), "\n")
}
