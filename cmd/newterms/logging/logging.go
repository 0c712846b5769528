// Package logging writes log lines: text for people, and ECS JSON for machines.
package logging

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/lmittmann/tint"

	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/terminal"
)

// New returns a logger of text on a terminal, and of ECS JSON elsewhere, unless LOG_FORMAT
// names one of them. version is that of newterms. command is the event.action of lines
// without their own.
//
// https://www.elastic.co/docs/reference/ecs/logging/intro
func New(s settings.Settings, version, command string, stderr io.Writer) *slog.Logger {
	_, onTerminal := terminal.Width(stderr)
	if s.LogFormat == "text" || s.LogFormat != "json" && onTerminal {
		return slog.New(sentences{tint.NewTextHandler(terminal.Folding(stderr), &tint.Options{
			Level: slog.Level(s.LogLevel), TimeFormat: "15:04:05",
			NoColor: !onTerminal || s.NoColor != "" || s.Term == "dumb",
		})})
	}
	handler := slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: slog.Level(s.LogLevel), ReplaceAttr: ecsName})
	ecs := handler.WithAttrs([]slog.Attr{
		slog.String("ecs.version", "8.11.0"), slog.String("service.name", "newterms"),
		slog.String("service.version", version), slog.String("event.dataset", "newterms.log"),
	})
	return slog.New(ecsLines{ecs, command})
}

// ecsLines gives each line an event.action and an event.outcome. Our keys have an
// object of their own: in ECS, rule is an object.
type ecsLines struct {
	slog.Handler
	command string
}

func (l ecsLines) Handle(ctx context.Context, r slog.Record) error {
	action, outcome := l.command, "unknown"
	switch {
	case r.Level >= slog.LevelError:
		outcome = "failure"
	case r.Level < slog.LevelWarn:
		outcome = "success"
	}
	line := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "event.action":
			action = a.Value.String()
		case "event.outcome":
			outcome = a.Value.String()
		default:
			line.AddAttrs(a)
		}
		return true
	})
	event := []slog.Attr{slog.String("event.action", action), slog.String("event.outcome", outcome)}
	return l.WithAttrs(event).WithGroup("newterms").Handle(ctx, line)
}

// sentences drops a record's keys unless debug is on, because the message says the
// same.
type sentences struct{ slog.Handler }

func (s sentences) Handle(ctx context.Context, r slog.Record) error {
	shown := slog.NewRecord(r.Time, r.Level, terminal.Escape(r.Message), r.PC)
	if s.Enabled(ctx, slog.LevelDebug) {
		r.Attrs(func(a slog.Attr) bool {
			if !strings.HasPrefix(a.Key, "event.") { // for machines
				shown.AddAttrs(slog.String(a.Key, terminal.Escape(a.Value.String())))
			}
			return true
		})
	}
	return s.Handler.Handle(ctx, shown)
}

func ecsName(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		a.Key = "@timestamp"
		a.Value = slog.StringValue(a.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	case slog.LevelKey:
		a.Key = "log.level"
		a.Value = slog.StringValue(strings.ToLower(a.Value.String()))
	case slog.MessageKey:
		a.Key = "message"
	}
	return a
}
