//go:build !linux

package estest

const inMemory = ""

func hasRoom() bool { return false }
