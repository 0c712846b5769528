package elastic

import (
	"fmt"
	"net/http"
)

// A RedirectError is an answer that leads elsewhere. It is not followed: what is
// there would get the credentials.
type RedirectError struct {
	Status int
	To     string // without what may be secret in it; "" if the answer does not say
}

func (e *RedirectError) Error() string {
	text := fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	if e.To != "" {
		text += " to " + e.To
	}
	return text
}

// Redirect returns a *RedirectError if the answer is one, else nil.
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
