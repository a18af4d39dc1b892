package format

import (
	"io/fs"
	"strings"
)

// PassedOver counts the files in a folder that Read does not read. The .ann file of
// a text is read with it.
func (f Files) PassedOver(path string) (files int) {
	walk(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		if kind, read := f.kindOf(path, file); !read && !(kind == Brat && besideText(file)) {
			files++
		}
		return nil
	})
	return files
}

// besideText tells whether a file has the annotations of a text that is there.
func besideText(file string) bool {
	return strings.HasSuffix(strings.TrimSuffix(strings.ToLower(file), ".gz"), annSuffix) && exists(textOfAnn(file))
}
