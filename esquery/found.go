package esquery

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"newterms/esquery/elastic/words"
	"newterms/esquery/wanted"
)

// timesOf returns the times that date an event, in milliseconds.
func (s *Source) timesOf(hit wanted.Hit) []int64 {
	values := hit.Fields[s.search.Timestamp]
	if len(values) == 0 {
		values = hit.Fields[s.search.Fallback]
	}
	var times []int64
	for _, value := range values {
		whole, fraction, _ := strings.Cut(fmt.Sprint(value), ".") // date_nanos has a fraction
		ms, err := strconv.ParseInt(whole, 10, 64)
		if strings.HasPrefix(whole, "-") && strings.Trim(fraction, "0") != "" {
			ms--
		}
		if err == nil {
			times = append(times, ms)
		}
	}
	return times
}

// hasTerms reports whether an event has a pair.
func (s *Source) hasTerms(hit wanted.Hit, terms []any) bool {
	for i, field := range s.search.Fields {
		has := terms[i] == nil && len(hit.Fields[field]) == 0
		for _, value := range hit.Fields[field] {
			has = has || terms[i] != nil && fmt.Sprint(value) == fmt.Sprint(terms[i])
		}
		if !has {
			return false
		}
	}
	return true
}

// eventOf returns the event of a hit. Dates that identify it came in milliseconds.
func (s *Source) eventOf(hit wanted.Hit) *Event {
	e := &Event{Index: hit.Index, ID: hit.ID, Source: hit.Source, Fields: hit.Fields, Ignored: hit.Ignored}
	for _, name := range s.foundByDates {
		for i, value := range e.Fields[name] {
			if ms, err := strconv.ParseInt(fmt.Sprint(value), 10, 64); err == nil {
				e.Fields[name][i] = words.Stamp(time.UnixMilli(ms))
			}
		}
	}
	return e
}
