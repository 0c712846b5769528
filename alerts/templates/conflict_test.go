package templates_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"newterms/alerts/templates"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// blind may not read index templates, as the key of a run.
type blind struct{ *estest.Node }

func (b blind) Perform(req *http.Request) (*http.Response, error) {
	if strings.Contains(req.URL.Path, "_index_template") {
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}, nil
	}
	return b.Node.Perform(req)
}

// A thing is what somebody else puts into the cluster; TARGET stands for the name
// of the alerts target, END for its end, and HIGH for a priority that no other
// template has, as Elasticsearch wants it where patterns overlap.
type thing struct{ path, body string }

func (c thing) put(t *testing.T, node *estest.Node, target string) {
	t.Helper()
	replaced := strings.NewReplacer("TARGET", target, "END", target[len(target)-5:], "HIGH", strconv.Itoa(1_000+rand.IntN(1<<30)))
	node.Must(t, "PUT", replaced.Replace(c.path), []byte(replaced.Replace(c.body)))
	t.Cleanup(func() { // of what is not in use: its patterns are in the way of others
		_, _ = node.Request(context.Background(), "DELETE", strings.Replace(replaced.Replace(c.path), "/_create/", "/_doc/", 1), nil)
	})
}

// kinds lists the kinds of conflicts with the alerts target.
func kinds(t *testing.T, s *templates.Targets) string {
	t.Helper()
	states, err := s.Inspect(t.Context())
	if err != nil || len(states) != 2 || len(states[1].Conflicts) > 0 {
		t.Fatalf("got %+v, %v", states, err)
	}
	var kinds []string
	for _, o := range states[0].Conflicts {
		kinds = append(kinds, string(o.Kind))
	}
	return strings.Join(kinds, ", ")
}

// TestWhatIsInTheWay puts something of somebody else's where the alerts target is
// to be. The same is said by Inspect and by Setup, the first time and the second,
// and Setup installs what it can.
func TestWhatIsInTheWay(t *testing.T) {
	template := func(pattern, more string) thing {
		return thing{"/_index_template/TARGET-o", `{"index_patterns":["` + pattern + `"],"template":{}` + more + `}`}
	}
	document := thing{"/TARGET/_create/1", `{"@timestamp":0,"newterms.pair":"x"}`}
	for name, c := range map[string]struct {
		there      []thing
		want       string
		unseen     string // by who may not read index templates
		mayInstall bool   // our template, and then it is there
	}{
		"nothing":                        {nil, "", "", true},
		"a template of lower priority":   {[]thing{template("TARGET*", `,"priority":499,"data_stream":{}`)}, "", "", true},
		"one without a priority":         {[]thing{template("TARGET*", "")}, "", "", true},
		"one of longer names":            {[]thing{template("TARGET*x", `,"priority":HIGH`)}, "", "", true},
		"one of another end":             {[]thing{template(".test-*ENDx", `,"priority":HIGH`)}, "", "", true},
		"one of another beginning":       {[]thing{template("test-*END", `,"priority":HIGH`)}, "", "", true},
		"one of another middle":          {[]thing{template(".t*x*END", `,"priority":HIGH`)}, "", "", true},
		"one of its name":                {[]thing{template("TARGET", `,"priority":501`)}, "overridden", "", true},
		"one of names that begin so":     {[]thing{template("TARGET*", `,"priority":501`)}, "overridden", "", true},
		"one of names that end so":       {[]thing{template("*END", `,"priority":HIGH`)}, "overridden", "", true},
		"one of names with that":         {[]thing{template("*t-*END*", `,"priority":HIGH`)}, "overridden", "", true},
		"one of it among other names":    {[]thing{template(`ENDx","TARGET`, `,"priority":HIGH`)}, "overridden", "", true},
		"one of higher priority, stream": {[]thing{template("TARGET*", `,"priority":HIGH,"data_stream":{}`)}, "overridden", "", true},
		"the highest of two": {[]thing{
			{"/_index_template/TARGET-o", `{"index_patterns":["TARGET*"],"priority":600,"template":{}}`},
			{"/_index_template/TARGET-p", `{"index_patterns":["TARGET*"],"priority":500,"template":{}}`},
			{"/_index_template/TARGET-q", `{"index_patterns":["TARGET*"],"priority":550,"template":{}}`},
		}, "overridden, same priority", "", false},
		"one of the same priority": {[]thing{template("TARGET*", `,"priority":500`)}, "same priority", "", false},
		"a legacy template":        {[]thing{{"/_template/TARGET-o", `{"index_patterns":["TARGET*"],"mappings":{"properties":{"newterms":{"type":"keyword"}}}}`}}, "", "", true},
		"an index":                 {[]thing{{"/TARGET", `{}`}}, "no stream", "no stream", false},
		"an alias":                 {[]thing{{"/TARGET-x", `{"aliases":{"TARGET":{}}}`}}, "no stream", "no stream", false},
		"an alias of a data stream": {[]thing{
			{"/_index_template/TARGET-o", `{"index_patterns":["TARGET-x"],"priority":HIGH,"data_stream":{},"template":{}}`}, {"/TARGET-x/_create/1", `{"@timestamp":0}`}, {"/TARGET-x/_alias/TARGET", `{}`},
		}, "", "", true},
		"another mapping":               {[]thing{template("TARGET*", `,"data_stream":{}`), document}, "other mapping", "other mapping", false},
		"another mapping, and template": {[]thing{template("TARGET*", `,"priority":HIGH,"data_stream":{}`), document}, "overridden, other mapping", "other mapping", false},
		"a mapping that can be completed": {[]thing{
			{"/_index_template/TARGET-o", `{"index_patterns":["TARGET*"],"data_stream":{},"template":{"mappings":{"dynamic":false}}}`}, document,
		}, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			node, target := estest.ForTest(t), estest.Name(".test-")
			s := templates.NewTargets(elastic.NewClient(node, elastic.Options{}), target, estest.Name(".runs-of-test-"))
			for _, one := range c.there {
				one.put(t, node, target)
			}
			for range 2 {
				if got := kinds(t, s); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
				installed, err := s.Setup(t.Context(), "test")
				if errors.As(err, new(*templates.TargetError)) != (c.want != "") || err != nil && c.want == "" {
					t.Errorf("setup: %v", err)
				}
				isIt := func(i templates.Installed) bool { return i.Target == target }
				if slices.ContainsFunc(installed, isIt) != c.mayInstall || slices.IndexFunc(installed, func(i templates.Installed) bool { return !isIt(i) }) < 0 {
					t.Errorf("installed %v", installed)
				}
			}
			if got := kinds(t, templates.NewTargets(elastic.NewClient(blind{node}, elastic.Options{}), target, estest.Name(".runs-of-test-"))); got != c.unseen {
				t.Errorf("without the right to read index templates: %q, want %q", got, c.unseen)
			}
		})
	}
}

// TestTemplatesThatDoTheSame lets a template of higher priority that maps what ours
// maps, by a component template, take its place; and raises ours above another.
func TestTemplatesThatDoTheSame(t *testing.T) {
	s, node, target := newTargets(t)
	setUp(t, s)
	ours := map[string]any{}
	if err := node.ChangeTemplate(t.Context(), target+"-index-template", func(template map[string]any) { maps.Copy(ours, template) }); err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(ours["template"])
	if err != nil {
		t.Fatal(err)
	}
	thing{"/_component_template/TARGET-c", `{"template":` + string(content) + `}`}.put(t, node, target)
	above := thing{"/_index_template/TARGET-o", `{"index_patterns":["TARGET"],"priority":900,"data_stream":{},"composed_of":["TARGET-c"]}`}
	above.put(t, node, target)
	if got := kinds(t, s); got != "" {
		t.Errorf("one that does the same is %s", got)
	}
	setUp(t, s)
	above.body = strings.Replace(above.body, `["TARGET-c"]`, `[]`, 1)
	above.put(t, node, target)
	if got := kinds(t, s); got != "overridden" {
		t.Errorf("without the component template it is %q", got)
	}
	if err := node.ChangeTemplate(t.Context(), target+"-index-template", func(template map[string]any) { template["priority"] = 901 }); err != nil {
		t.Fatal(err)
	}
	if got := kinds(t, s); got != "" {
		t.Errorf("ours above it is %s", got)
	}
	thing{"/_index_template/TARGET-p", `{"index_patterns":["TARGET"],"priority":500}`}.put(t, node, target)
	if got := kinds(t, s); got != "" {
		t.Errorf("one of the priority that ours had is %s", got)
	}
	setUp(t, s)
}

// TestNoTemplateButATarget that somebody else's template made: ours is missing, not
// of an earlier build.
func TestNoTemplateButATarget(t *testing.T) {
	s, node, target := newTargets(t)
	thing{"/_index_template/TARGET-o", `{"index_patterns":["TARGET"],"data_stream":{}}`}.put(t, node, target)
	thing{"/TARGET/_create/1", `{"@timestamp":0,"newterms.pair":"x"}`}.put(t, node, target)
	states, err := s.Inspect(t.Context())
	if err != nil || states[0].State != templates.Missing || !states[0].Exists || len(states[0].Differs) == 0 {
		t.Errorf("got %+v, %v", states, err)
	}
}
