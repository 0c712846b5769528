package grant

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"newterms/alerts/keys"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// A Folder holds keys. Each is a file with the name of the key.
type Folder string

// Create creates the folder, before a key is made that could not be kept.
func (d Folder) Create() error { return os.MkdirAll(string(d), 0o700) }

// Write replaces the files of the keys, each readable by this user only. It writes all
// of them before it replaces one.
func (d Folder) Write(made []keys.Key) error {
	var written []string
	defer func() {
		for _, name := range written {
			os.Remove(name)
		}
	}()
	for _, k := range made {
		file, err := os.CreateTemp(string(d), ".key-*") // 0600
		if err != nil {
			return err
		}
		written = append(written, file.Name())
		_, err = file.WriteString(k.Encoded + "\n")
		if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
			return err
		}
	}
	for i, k := range made {
		if err := os.Rename(written[i], filepath.Join(string(d), k.Name)); err != nil {
			return err
		}
	}
	return nil
}

// Without returns the specs of which the folder has no valid key. connect returns a
// client that uses a file's text as its key. has is called for each of the others, with its file
// and when it expires, zero for never. A key that lacks privileges is an error: it was
// made with other settings.
func (d Folder) Without(ctx context.Context, specs []keys.Spec, connect func(key string) (*elastic.Client, error), has func(path string, spec keys.Spec, ends time.Time)) ([]keys.Spec, error) {
	var rest []keys.Spec
	for _, spec := range specs {
		path := filepath.Join(string(d), spec.Name)
		ends, err := tryFile(ctx, path, spec, connect)
		switch {
		case errors.Is(err, fs.ErrNotExist), elastic.HasStatus(err, http.StatusUnauthorized):
			rest = append(rest, spec)
		case err != nil:
			return nil, fmt.Errorf("keys: %s: %w: newterms keys %s --rotate --out %s replaces it", path, err, spec.Use, d)
		default:
			has(path, spec, ends)
		}
	}
	return rest, nil
}

// tryFile asks Elasticsearch about the key in a file, and returns when it expires.
func tryFile(ctx context.Context, path string, spec keys.Spec, connect func(key string) (*elastic.Client, error)) (ends time.Time, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return ends, err
	}
	client, err := connect(strings.TrimSpace(string(text)))
	if err != nil {
		return ends, err
	}
	user, err := access.CurrentUser(ctx, client)
	if err != nil {
		return ends, err
	}
	if user.APIKey != spec.Name {
		return ends, fmt.Errorf("it is the %s, not %s", user, spec.Name)
	}
	if err := keys.Try(ctx, client, spec); err != nil {
		return ends, err
	}
	return access.KeyEnds(ctx, client, user)
}
