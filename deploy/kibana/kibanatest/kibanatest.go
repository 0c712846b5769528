// Package kibanatest stands in for the part of Kibana that keeps rules: it holds
// requests against the API as Kibana documents it, and answers as Kibana does. It
// runs no rule.
package kibanatest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// A Kibana has connectors and keeps rules. Set it up before it serves.
type Kibana struct {
	Space         string // "default" for the default one
	Authorization string // the header that it lets in
	Connectors    map[string]string
	NoESQL        bool // it refuses rules in ES|QL
	Forbidden     bool // whoever it is may not
	// NoSecrets names connectors that were imported.
	NoSecrets map[string]bool

	mu    sync.Mutex
	rules map[string]map[string]any
}

// Rules returns the rules by their ids.
func (k *Kibana) Rules() map[string]map[string]any {
	k.mu.Lock()
	defer k.mu.Unlock()
	copied := map[string]map[string]any{}
	maps.Copy(copied, k.rules)
	return copied
}

func (k *Kibana) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	status, answer := k.answer(r)
	if status != http.StatusOK {
		answer = map[string]any{"statusCode": status, "error": http.StatusText(status), "message": answer}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}

// uuids are the ids that Kibana takes for rules: those of encrypted objects must
// be hard to guess.
var uuids = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// answer returns what is wrong, for a status that is not 200.
func (k *Kibana) answer(r *http.Request) (status int, answer any) {
	path := r.URL.Path
	if k.Space != "default" {
		rest, ok := strings.CutPrefix(path, "/s/"+k.Space)
		if !ok {
			return http.StatusNotFound, "Not Found"
		}
		path = rest
	}
	body, err := io.ReadAll(r.Body)
	connector, isConnector := strings.CutPrefix(path, "/api/actions/connector/")
	id, isRule := strings.CutPrefix(path, "/api/alerting/rule/")
	switch {
	case err != nil:
		return http.StatusBadRequest, err.Error()
	case r.Header.Get("Authorization") != k.Authorization:
		return http.StatusUnauthorized, "unable to authenticate"
	case r.Method != http.MethodGet && r.Header.Get("kbn-xsrf") == "":
		return http.StatusBadRequest, "Request must contain a kbn-xsrf header."
	case k.Forbidden:
		return http.StatusForbidden, "Unauthorized by \"stackAlerts\" to create \".es-query\" rule"
	case isConnector && r.Method == http.MethodGet:
		kind, ok := k.Connectors[connector]
		if !ok {
			return http.StatusNotFound, "Saved object [action/" + connector + "] not found"
		}
		return http.StatusOK, map[string]any{"id": connector, "name": "x", "connector_type_id": kind, "is_missing_secrets": k.NoSecrets[connector], "is_preconfigured": false}
	case !isRule:
		return http.StatusNotFound, "Not Found"
	case !uuids.MatchString(id):
		return http.StatusBadRequest, "Predefined IDs are not allowed for saved objects with encrypted attributes unless the ID is a UUID."
	}
	return k.rule(r, id, body)
}

func (k *Kibana) rule(r *http.Request, id string, body []byte) (status int, answer any) {
	has := k.rules[id]
	switch r.Method {
	case http.MethodGet:
		if has == nil {
			return http.StatusNotFound, "Saved object [alert/" + id + "] not found"
		}
		return http.StatusOK, has
	case http.MethodPost:
		if has != nil {
			return http.StatusConflict, "Saved object [alert/" + id + "] conflict"
		}
		has = map[string]any{"id": id, "created_by": "x", "revision": 0.0}
	case http.MethodPut:
		if has == nil {
			return http.StatusNotFound, "Saved object [alert/" + id + "] not found"
		}
	default:
		return http.StatusNotFound, "Not Found"
	}
	if problem := RuleProblem(body, r.Method == http.MethodPut, k.Connectors); problem != "" {
		return http.StatusBadRequest, problem
	}
	var sent map[string]any
	if err := json.Unmarshal(body, &sent); err != nil {
		return http.StatusBadRequest, err.Error()
	}
	if k.NoESQL && sent["params"].(map[string]any)["searchType"] == "esqlQuery" {
		return http.StatusBadRequest, "params invalid: [searchType]: expected value to equal [esQuery]"
	}
	maps.Copy(has, sent)
	has["revision"] = has["revision"].(float64) + 1
	for i, a := range has["actions"].([]any) { // which Kibana gives ids of their own
		a.(map[string]any)["uuid"] = fmt.Sprint("uuid-", i)
	}
	if k.rules == nil {
		k.rules = map[string]map[string]any{}
	}
	k.rules[id] = has
	return http.StatusOK, has
}
