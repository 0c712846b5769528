package estest

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

//go:embed node
var nodeFiles embed.FS

// A module is a plugin to lay out: a folder with its jars and a descriptor.
type module struct {
	name, class, extends string
	jars                 []string // prefixes
}

// modulesOf lists the modules of a version. A jar goes to the first module that
// names its prefix; what is nobody's is a library of x-pack-security. The
// security jars of 9.x are not all published.
func modulesOf(version string) []module {
	transport := module{"transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin", "", []string{"transport-netty4-", "netty-"}}
	if major(version) > 8 {
		return []module{transport}
	}
	return append([]module{transport}, xPack...)
}

var xPack = []module{
	{"x-pack-core", "org.elasticsearch.xpack.core.XPackPlugin", "", []string{
		"x-pack-core", "x-pack-template", "httpclient-4", "httpcore", "httpasync", "commons-", "unboundid",
	}},
	{"x-pack-kql", "org.elasticsearch.xpack.kql.KqlPlugin", "x-pack-core", []string{"x-pack-kql", "antlr4-runtime"}},
	{"x-pack-security", "org.elasticsearch.xpack.security.Security", "x-pack-core", []string{""}},
	{"local", "local.LocalModule", "", nil},
}

// serverJars are the prefixes of what belongs to lib/, the server itself.
var serverJars = []string{
	"elasticsearch-", "lucene-", "log4j", "ecs-logging", "hppc", "HdrHistogram", "jcodings", "joni", "jopt-simple", "lz4", "slf4j",
}

// distribution returns the folder with lib/, modules/ and classes/, and makes
// it if need be. Its name changes with what it is made from, and it appears by
// a rename, so processes that make it at the same time cannot harm each other.
func distribution(ctx context.Context, version string, progress func(string)) (string, error) {
	name, err := distributionName(version)
	if err != nil {
		return "", err
	}
	for _, folder := range cacheFolders() {
		dist := filepath.Join(folder, name)
		if _, err := os.Stat(dist); err == nil {
			return dist, nil
		}
	}
	building, err := newFolder(cacheFolders())
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(building)
	dist := filepath.Join(filepath.Dir(building), name)
	if err := build(ctx, version, building, progress); err != nil {
		return "", err
	}
	if err := os.Rename(building, dist); err != nil {
		if _, statErr := os.Stat(dist); statErr != nil {
			return "", err
		} // else another process was first
	}
	return dist, nil
}

// cacheFolders lists where distributions are kept: in the user's cache folder, or
// if there is none or it cannot be written, in a temporary folder of this user.
func cacheFolders() []string {
	var folders []string
	if cache, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(cache, "newterms"))
	}
	own := filepath.Join(os.TempDir(), fmt.Sprintf("newterms-cache-%d", os.Getuid()))
	if info, err := os.Lstat(own); err == nil {
		if stat, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || ok && int(stat.Uid) != os.Getuid() {
			return folders // somebody else made it, and what is in it would run
		}
	}
	return append(folders, own)
}

// newFolder makes an empty folder in the first of some folders that lets it.
func newFolder(folders []string) (made string, err error) {
	for _, folder := range folders {
		if err = os.MkdirAll(folder, 0o700); err == nil {
			made, err = os.MkdirTemp(folder, "building-")
		}
		if err == nil {
			return made, nil
		}
	}
	return "", err
}

func distributionName(version string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, version, modulesOf(version), serverJars)
	err := fs.WalkDir(nodeFiles, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := nodeFiles.ReadFile(path)
		h.Write(content)
		return err
	})
	return fmt.Sprintf("elasticsearch-%s-%x", version, h.Sum(nil)[:6]), err
}

func build(ctx context.Context, version, dir string, progress func(string)) error {
	javac, err := javaTool("javac", version)
	if err != nil {
		return err
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is missing: install Maven (Debian: apt-get install maven); " +
			"tests can use a running server instead, named by ELASTICSEARCH_TEST_URL")
	}
	if err := os.CopyFS(dir, nodeFiles); err != nil {
		return err
	}
	node, jars := filepath.Join(dir, "node"), filepath.Join(dir, "jars")
	progress("downloading the jars of Elasticsearch " + version + " with Maven (about 80 MB, once)")
	args := []string{"-q", "-B", "-f", filepath.Join(node, "pom.xml"), "-Delasticsearch.version=" + version,
		"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=" + jars}
	if strings.HasPrefix(dir, os.TempDir()) { // Maven's own folder is in the home that cannot be written
		repository := filepath.Join(dir, "maven")
		defer os.RemoveAll(repository)
		args = append(args, "-Dmaven.repo.local="+repository)
	}
	local := major(version) == 8
	if local {
		args = append(args, "-Px-pack")
	}
	if err := tool(ctx, mvn, args...); err != nil {
		return err
	}
	if err := layOut(version, dir, jars); err != nil {
		return err
	}
	progress("compiling the launcher")
	classpath := filepath.Join(dir, "lib", "*")
	if err := tool(ctx, javac, "-nowarn", "-proc:none", "-cp", classpath, "-d", filepath.Join(dir, "classes"), filepath.Join(node, "Launcher.java")); err != nil {
		return err
	}
	if !local {
		return nil
	}
	jar, err := javaTool("jar", version)
	if err != nil {
		return err
	}
	plugin := filepath.Join(dir, "plugin-classes")
	if err := tool(ctx, javac, "-nowarn", "-proc:none", "-cp", classpath, "-d", plugin, filepath.Join(node, "LocalModule.java")); err != nil {
		return err
	}
	return tool(ctx, jar, "cf", filepath.Join(dir, "modules", "local", "local.jar"), "-C", plugin, ".")
}

// layOut moves the jars to lib/ and modules/ and writes the descriptors.
func layOut(version, dir, jars string) error {
	if err := os.Mkdir(filepath.Join(dir, "lib"), 0o755); err != nil {
		return err
	}
	for _, m := range modulesOf(version) {
		home := filepath.Join(dir, "modules", m.name)
		if err := os.MkdirAll(home, 0o755); err != nil {
			return err
		}
		descriptor := fmt.Sprintf("name=%s\ndescription=%s\nversion=%s\nelasticsearch.version=%s\njava.version=17\nclassname=%s\n"+
			"extended.plugins=%s\nhas.native.controller=false\nlicensed=false\n", m.name, m.name, version, version, m.class, m.extends)
		if err := os.WriteFile(filepath.Join(home, "plugin-descriptor.properties"), []byte(descriptor), 0o644); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(jars)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, folder := range foldersOf(version, e.Name()) {
			// Links, because x-pack-security needs its own copy of transport-netty4's jars.
			if err := os.Link(filepath.Join(jars, e.Name()), filepath.Join(dir, folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(jars)
}

func foldersOf(version, jar string) []string {
	hasPrefix := func(prefixes []string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(jar, p) {
				return true
			}
		}
		return false
	}
	if hasPrefix(serverJars) {
		return []string{"lib"}
	}
	for _, m := range modulesOf(version) {
		if !hasPrefix(m.jars) {
			continue
		}
		folders := []string{filepath.Join("modules", m.name)}
		if m.name == "transport-netty4" && major(version) == 8 {
			folders = append(folders, filepath.Join("modules", "x-pack-security"))
		}
		return folders
	}
	return nil
}
