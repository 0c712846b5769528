package alert

import (
	"net"
	"slices"
)

// Entities are what an event of a host, a network or a cloud is about. What it lacks is
// "".
type Entities struct {
	Host                         string
	Process, Parent, CommandLine string // Parent is the parent process
	Destination                  string // address with its port, and the domain
	File, Registry               string // paths
	Container                    string // name and image
	Region                       string // of the cloud account
}

// entitiesOf reads the entities of ECS; first is that of describeEvent.
func entitiesOf(first func(paths ...string) string) Entities {
	e := Entities{
		Host:        first("host.name", "host.hostname", "host.id"),
		Process:     first("process.name", "process.executable"),
		Parent:      first("process.parent.name", "process.parent.executable"),
		CommandLine: first("process.command_line", "process.args"),
		File:        first("file.path", "file.name", "dll.path", "dll.name"),
		Registry:    first("registry.path", "registry.key"),
		Container:   WithDetail(first("container.name", "container.id"), first("container.image.name")),
		Region:      first("cloud.region"),
	}
	ip, port, domain := first("destination.ip", "destination.address"), first("destination.port"), first("destination.domain")
	if ip != "" && port != "" {
		ip = net.JoinHostPort(ip, port)
	}
	e.Destination = WithDetail(ip, domain)
	return e
}

// named lists the entities beside the host, each with what it is.
func (e Entities) named() []string {
	var named []string
	add := func(what, text string) {
		if text != "" {
			named = append(named, what+" "+text)
		}
	}
	process := e.Process
	if process != "" && e.Parent != "" {
		process += " (parent " + e.Parent + ")"
	}
	add("process", process)
	add("file", e.File)
	add("registry", e.Registry)
	add("destination", e.Destination)
	add("container", e.Container)
	return named
}

// unshown returns the values that no text of the description is.
func (d Description) unshown(values []NewTerm) []NewTerm {
	e := d.Entities
	shown := []string{
		d.Actor, d.ActorID, d.Login, d.Account, d.IP, d.Network, d.Country, d.Browser, d.OS, d.Action, d.Outcome, d.Why,
		e.Host, e.Process, e.Parent, e.CommandLine, e.Destination, e.File, e.Registry, e.Container, e.Region,
	}
	for _, f := range d.Fields {
		shown = append(shown, f.Value)
	}
	return slices.DeleteFunc(slices.Clone(values), func(v NewTerm) bool { return slices.Contains(shown, v.Value) })
}
