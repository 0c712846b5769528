package fields

import (
	"regexp"
	"strings"
)

// UnknownActor is Okta's id for somebody who signs in with an unknown login. All names
// in such an event were typed by that person, and may be a password. Descriptions go
// out with notifications, and to terminals and logs.
const UnknownActor = "unknown"

// IsUnknownActor reports whether a value of okta.actor.id is UnknownActor.
func IsUnknownActor(id string) bool { return strings.EqualFold(strings.TrimSpace(id), UnknownActor) }

// typed matches the fields with typed text, and their multi-fields.
var typed = regexp.MustCompile(`^(okta\.actor\.(alternate_id|display_name)|okta\.target|related\.user|event\.original|message|(.+\.)?user\.(name|full_name|email|domain|hash))(\..*)?$`)

// IsTyped reports whether a field holds what a person has typed, if that is an unknown
// actor.
func IsTyped(path string) bool { return typed.MatchString(path) }
