package elastic

import (
	"fmt"
	"net/http"
)

// A RedirectError is a redirect. It is not followed, because its target would get the
// credentials.
type RedirectError struct {
	Status int
	To     string // without secrets; "" if the answer has no target
}

func (e *RedirectError) Error() string {
	text := fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	if e.To != "" {
		text += " to " + e.To
	}
	return text
}

// Redirect returns a *RedirectError for a redirect, else nil.
func Redirect(res *http.Response) error {
	if res.StatusCode < http.StatusMultipleChoices || res.StatusCode >= http.StatusBadRequest {
		return nil
	}
	redirect := &RedirectError{Status: res.StatusCode}
	if to, err := res.Location(); err == nil {
		to.User, to.RawQuery, to.Fragment = nil, "", ""
		redirect.To = to.String()
	}
	return redirect
}
