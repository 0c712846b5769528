package check

import (
	"context"
	"net/http"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// server checks the connection. It returns false if further requests would fail too.
func (s *commonCheck) server(ctx context.Context) bool {
	version, err := elastic.ServerVersion(ctx, s.Client)
	switch {
	case elastic.HasStatus(err, http.StatusUnauthorized):
		return true // the server answers; user reports the error
	case err != nil:
		s.fail("server", err)
	default:
		s.ok("server", "Elasticsearch %s", version)
	}
	return err == nil
}

func (s *commonCheck) user(ctx context.Context) bool {
	user, err := access.CurrentUser(ctx, s.Client)
	switch {
	case err != nil:
		s.fail("user", err)
		return false
	case user.SecurityOff:
		s.ok("user", "security is off: everybody may do everything")
		return true
	default:
		s.ok("user", "%s", user)
	}
	missing, err := access.MissingPrivileges(ctx, s.Client, s.privileges())
	if err != nil {
		s.fail("privileges", err)
		return false
	}
	for _, p := range missing {
		s.missing[p] = true
	}
	if s.restricted, err = access.OwnRestrictions(ctx, s.Client, user); err != nil {
		s.fail("privileges", err)
	}
	return err == nil
}

// targetPrivileges lists the privileges that a run needs on each of its targets.
// auto_configure creates the data stream with the first write.
func targetPrivileges() []string { return []string{"read", "create_doc", "auto_configure"} }

func (s *commonCheck) privileges() []access.Privilege {
	var wanted []access.Privilege
	for _, target := range []string{s.AlertsTarget, s.RunsTarget} {
		for _, name := range targetPrivileges() {
			wanted = append(wanted, access.Privilege{Index: target, Name: name})
		}
	}
	for _, r := range s.Rules {
		wanted = append(wanted, access.ReadPrivileges(r.Search.Indices)...)
	}
	return wanted
}
