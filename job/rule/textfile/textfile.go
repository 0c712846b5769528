// Package textfile reads text files in UTF-8.
package textfile

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

// ByteOrderMark may begin a text.
const ByteOrderMark = "\ufeff"

// Text returns the contents of a file without a byte order mark. It refuses other
// encodings than UTF-8, whose letters would never match.
func Text(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")), bytes.IndexByte(data, 0) >= 0:
		return "", errors.New("it is in UTF-16, or not a text file: save it as UTF-8")
	case !utf8.Valid(data):
		return "", errors.New("it is not in UTF-8: save it as UTF-8")
	}
	return strings.TrimPrefix(string(data), ByteOrderMark), nil
}
