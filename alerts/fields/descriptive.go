package fields

// The fields in which events say from where somebody came, and with what. The first one that
// an event has counts: Okta's own before those of ECS, but for the user agent, of which
// Okta knows few.

// ClientIP lists those of the address.
func ClientIP() []string { return []string{"okta.client.ip", "client.ip", "source.ip"} }

// Country lists those of the country.
func Country() []string { return []string{"client.geo.country_name", "source.geo.country_name"} }

// Network lists those of the network's owner.
func Network() []string {
	return []string{
		"okta.security_context.as.organization.name", "client.as.organization.name", "source.as.organization.name", "okta.security_context.isp",
	}
}

// UserAgent lists those of the program.
func UserAgent() []string {
	return []string{"user_agent.name", "okta.client.user_agent.browser", "user_agent.original", "okta.client.user_agent.raw_user_agent"}
}
