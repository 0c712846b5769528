package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/alerts/keys"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// somebody asks a node with an Authorization of their own.
type somebody struct {
	node          *estest.Node
	authorization string
}

func (s somebody) Perform(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", s.authorization)
	return s.node.Perform(r)
}

func user(n *estest.Node, name string) *elastic.Client {
	credentials := base64.StdEncoding.EncodeToString([]byte(name + ":" + estest.Password))
	return elastic.NewClient(somebody{n, "Basic " + credentials}, elastic.Options{})
}

func holder(n *estest.Node, k keys.Key) *elastic.Client {
	return elastic.NewClient(somebody{n, "ApiKey " + k.Encoded}, elastic.Options{})
}

// TestSecurityKeys makes keys on a node with security.
func TestSecurityKeys(t *testing.T) {
	n, err := estest.Start(t.Context(), estest.Options{Security: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	for name, role := range map[string]any{
		"own":   map[string]any{"cluster": []string{"manage_own_api_key"}},
		"looks": map[string]any{"cluster": []string{"manage_own_api_key", "read_security"}},
		"some": map[string]any{"cluster": []string{"manage_api_key"}, "indices": []any{
			map[string]any{"names": []string{"alerts", "runs"}, "privileges": []string{"read", "create_doc"}}}},
	} {
		n.Must(t, "PUT", "/_security/role/"+name, role)
		n.Must(t, "PUT", "/_security/user/"+name, map[string]any{"password": estest.Password, "roles": []string{name}})
	}
	t.Run("reads", func(t *testing.T) { reads(t, n) })
	t.Run("lacks", func(t *testing.T) { lacks(t, n) })
	t.Run("found", func(t *testing.T) { found(t, n) })
	t.Run("ended", func(t *testing.T) { ended(t, n) })
}

// reads asks with a run key what date math and selectors come to, and for more than
// it has.
func reads(t *testing.T, n *estest.Node) {
	for _, index := range []string{"/%3Csrc-%7Bnow%2Fd%7D%3E", "/plain", "/other", "/alerts"} {
		n.Must(t, "POST", index+"/_doc?refresh=true", map[string]any{"n": 1})
	}
	s := spec(keys.Run, "<src-{now/d}>", "plain::data", "-plain-old")
	key := make1(t, n, s)
	if err := keys.Try(t.Context(), holder(n, key), s); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		index string
		may   bool
	}{{"<src-{now/d}>", true}, {"<src-{now/d{yyyy.MM.dd|UTC}}>", true}, {"plain::data", true}, {"plain", true}, {"alerts", true}, {"other", false}} {
		err := holder(n, key).Search(t.Context(), elastic.Search{Indices: []string{c.index}, Body: map[string]any{
			"size": 0, "aggs": map[string]any{"all": map[string]any{"filter": map[string]any{"match_all": map[string]any{}}}},
		}}, new(map[string]any))
		if (err == nil) != c.may {
			t.Errorf("read %s: %v", c.index, err)
		}
	}
	for _, path := range []string{"plain", "alerts"} {
		if err := holder(n, key).Do(t.Context(), esapi.IndicesDeleteRequest{Index: []string{path}}, &struct{}{}); !isForbidden(err) {
			t.Errorf("delete of %s: %v", path, err)
		}
	}
	create := esapi.CreateRequest{Index: "plain", DocumentID: "1", Body: bytes.NewReader([]byte(`{}`))}
	if err := holder(n, key).Do(t.Context(), create, &struct{}{}); !isForbidden(err) {
		t.Errorf("create in the source: %v", err)
	}
}

// lacks names what is missing, before and after a key is made.
func lacks(t *testing.T, n *estest.Node) {
	s := spec(keys.Run, "src-*", "west:src-*")
	const want = "read on src-*, auto_configure on alerts, auto_configure on runs"
	try := func(who string, c *elastic.Client) {
		var lacking *keys.LackingError
		if err := keys.Try(t.Context(), c, s); !errors.As(err, &lacking) || strings.Join(lacking.Lacking, ", ") != want {
			t.Errorf("%s: %v, want %s", who, err, want)
		}
	}
	try("the user", user(n, "some"))
	key, err := keys.Make(t.Context(), user(n, "some"), s, "m")
	if err != nil {
		t.Fatal(err)
	}
	try("the key", holder(n, key))
	var lacking *keys.LackingError
	err = keys.Try(t.Context(), user(n, "some"), spec(keys.Setup))
	if !errors.As(err, &lacking) || !slices.Contains(lacking.Lacking, "the cluster privilege manage_index_templates") || lacking.StatusCode() != http.StatusForbidden {
		t.Error(err)
	}
}

// found lists keys in the order in which they were made, and says whose are missing.
func found(t *testing.T, n *estest.Node) {
	s := spec(keys.Close)
	s.Name = "newterms-found"
	n.Must(t, "POST", "/_security/api_key", map[string]any{"name": s.Name}) // by somebody for something else
	of := func(who string) (owners []string, ownOnly bool) {
		t.Helper()
		found, err := keys.Find(t.Context(), user(n, who), s.Name, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range found.Valid {
			owners = append(owners, v.Owner)
		}
		return owners, found.OwnOnly
	}
	if owners, ownOnly := of("own"); len(owners) > 0 || !ownOnly {
		t.Errorf("at first: %v, %t", owners, ownOnly)
	}
	for _, who := range []string{"own", estest.Username, "looks"} {
		if _, err := keys.Make(t.Context(), user(n, who), s, who); err != nil {
			t.Fatal(err)
		}
	}
	for who, want := range map[string]struct {
		owners  []string
		ownOnly bool
		may     bool
	}{
		"own":           {[]string{"own"}, true, false},
		"looks":         {[]string{"own", estest.Username, "looks"}, false, false},
		estest.Username: {[]string{"own", estest.Username, "looks"}, false, true},
	} {
		owners, ownOnly := of(who)
		may, err := keys.MayEndOthers(t.Context(), user(n, who))
		if err != nil || !slices.Equal(owners, want.owners) || ownOnly != want.ownOnly || may != want.may {
			t.Errorf("%s: %v, own only %t, may end others' %t, %v", who, owners, ownOnly, may, err)
		}
	}
	s.Expires = time.Minute
	if _, err := keys.Make(t.Context(), user(n, "own"), s, "soon"); err != nil {
		t.Fatal(err)
	}
	later, err := keys.Find(t.Context(), user(n, "own"), s.Name, time.Now().Add(time.Hour))
	if err != nil || len(later.Valid) != 1 {
		t.Errorf("after it expired: %v, %v", later, err)
	}
}

// ended invalidates what one making made, twice, and not what is another's.
func ended(t *testing.T, n *estest.Node) {
	admin, own := user(n, estest.Username), user(n, "own")
	s := spec(keys.Close)
	s.Name = "newterms-ended"
	var made []keys.Key
	for range 3 {
		made = append(made, make1(t, n, s))
	}
	unused, err := keys.Unused(t.Context(), admin, []string{s.Name}, "test", time.Now(), map[string]bool{made[1].ID: true})
	if err != nil || len(unused) != 2 || unused[0].ID == made[1].ID || unused[1].ID == made[1].ID {
		t.Fatalf("%v, %v", unused, err)
	}
	if others, err := keys.Unused(t.Context(), admin, []string{s.Name}, "other", time.Now(), nil); err != nil || len(others) > 0 {
		t.Errorf("of another making: %v, %v", others, err)
	}
	ids := []string{unused[0].ID, unused[1].ID}
	if err := keys.Invalidate(t.Context(), own, ids); err == nil {
		t.Error("another user's keys are ended")
	}
	for range 2 {
		if err := keys.Invalidate(t.Context(), admin, ids); err != nil {
			t.Error(err)
		}
	}
	left, err := keys.Find(t.Context(), admin, s.Name, time.Now())
	if err != nil || len(left.Valid) != 1 || left.Valid[0].ID != made[1].ID {
		t.Errorf("%v, %v", left, err)
	}
	if text := left.Valid[0].String(); !strings.Contains(text, made[1].ID) || !strings.Contains(text, "of "+estest.Username) {
		t.Error(text)
	}
}

// make1 makes a key as the superuser.
func make1(t *testing.T, n *estest.Node, s keys.Spec) keys.Key {
	t.Helper()
	key, err := keys.Make(context.Background(), user(n, estest.Username), s, "test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func isForbidden(err error) bool {
	var refused *elastic.ResponseError
	return errors.As(err, &refused) && refused.Status == http.StatusForbidden
}
