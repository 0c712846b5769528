package kibana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"newterms/esquery/elastic"
)

// A Connector is how Kibana tells people something.
type Connector struct {
	ID, Type string   // Type is Kibana's name for the kind, such as ".slack"
	To       []string // of e-mail
}

// A ConnectorError says why a connector cannot be used.
type ConnectorError struct{ ID, Why string }

func (e *ConnectorError) Error() string { return fmt.Sprintf("connector %s %s", e.ID, e.Why) }

// Connector looks a connector of the space up. Its error is a *ConnectorError if
// there is none, or none of a type that newterms has a message for.
//
// https://www.elastic.co/docs/api/doc/kibana/operation/operation-get-actions-connector-id
func (s Space) Connector(ctx context.Context, id string, to []string) (Connector, error) {
	text, err := s.send(ctx, call{method: http.MethodGet, path: "api/actions/connector/" + url.PathEscape(id)})
	var refused *elastic.ResponseError
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return Connector{}, &ConnectorError{id, "does not exist in this space: " + refused.Reason}
	}
	if err != nil {
		return Connector{}, err
	}
	var answer struct {
		Type           string `json:"connector_type_id"`
		MissingSecrets bool   `json:"is_missing_secrets"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Type == "" {
		return Connector{}, otherAnswer(text)
	}
	c := Connector{id, answer.Type, to}
	switch {
	case answer.MissingSecrets:
		return c, &ConnectorError{id, "lacks its secrets, as after an import"}
	case !slices.Contains(connectorTypes(), c.Type):
		return c, &ConnectorError{id, fmt.Sprintf("is of type %s, and newterms has messages for %s", c.Type, strings.Join(connectorTypes(), ", "))}
	case c.Type == ".email" && len(to) == 0:
		return c, &ConnectorError{id, "sends e-mail, and nobody is named to send it to"}
	}
	return c, nil
}

func connectorTypes() []string {
	return []string{".email", ".index", ".server-log", ".slack", ".teams", ".webhook"}
}

// params are what an action of the connector says.
//
// https://www.elastic.co/docs/reference/kibana/connectors-kibana
func (c Connector) params(subject, message string) map[string]any {
	switch c.Type {
	case ".email":
		to := make([]any, len(c.To))
		for i, address := range c.To {
			to[i] = address
		}
		return map[string]any{"to": to, "subject": subject, "message": message}
	case ".index":
		return map[string]any{"documents": []any{map[string]any{"@timestamp": "{{date}}", "rule": subject, "message": message}}}
	case ".server-log":
		return map[string]any{"level": "warn", "message": message}
	case ".webhook":
		// Kibana fills in the text escaped for JSON.
		body, _ := encode(map[string]any{"rule": subject, "message": message}) // two strings
		return map[string]any{"body": body}
	}
	return map[string]any{"message": message}
}
