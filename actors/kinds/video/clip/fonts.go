package clip

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
)

// Fonts are the built-in Go fonts and, for characters they lack, the fonts of the machine. It may be used by several
// goroutines at once. The machine's fonts are looked for when the first character asks for them.
type Fonts struct {
	// Folders to look in; nil: where this system keeps its fonts.
	Folders []string

	once     sync.Once
	fallback []*sfnt.Font
}

// Bounds of the search for fonts.
const (
	maxFontFiles   = 12       // parsed
	maxFontEntries = 20_000   // looked at
	maxFontBytes   = 40 << 20 // of one file
)

var builtin = sync.OnceValue(func() [2]*sfnt.Font {
	var fonts [2]*sfnt.Font
	for i, data := range [][]byte{goregular.TTF, gobold.TTF} {
		parsed, err := opentype.Parse(data)
		if err != nil {
			panic(fmt.Sprintf("clip: a built-in font: %v", err))
		}
		fonts[i] = parsed
	}
	return fonts
})

// wide lists fonts with many characters, best first, as parts of lower-case file names without punctuation.
var wide = []string{
	"dejavusans-bold.", "dejavusans.", "notosans-bold.", "notosans-regular.", "notosanscjk", "notosanssc", "notosansjp", "notosanskr", "sourcehansans",
	"wqy-microhei", "wqy-zenhei", "droidsansfallback", "ipag", "takaogothic", "nanumgothic", "notosansarabic-", "notosanshebrew-", "notosansdevanagari-", "notosansthai-",
	"notosanssymbols2", "notoemoji-", "symbola", "freesans.", "unifont", "arial unicode", "hiragino", "pingfang", "segoeui.", "seguisym", "msgothic", "msyh",
}

func fontFolders() []string {
	folders := []string{"/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".fonts"), filepath.Join(home, ".local/share/fonts"))
	}
	if root := os.Getenv("SystemRoot"); root != "" {
		folders = append(folders, filepath.Join(root, "Fonts"))
	}
	return folders
}

// system returns the machine's fonts, best first. Files that can't be read or parsed are passed over: colour fonts, for one.
func (f *Fonts) system() []*sfnt.Font {
	f.once.Do(func() {
		folders := f.Folders
		if folders == nil {
			folders = fontFolders()
		}
		for _, path := range findFonts(folders) {
			if len(f.fallback) == maxFontFiles {
				return
			}
			if parsed := readFont(path); parsed != nil {
				f.fallback = append(f.fallback, parsed)
			}
		}
	})
	return f.fallback
}

func findFonts(folders []string) []string {
	best := map[int]string{} // by place in wide: the first file found
	seen := 0
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // an unreadable folder has no fonts for us
			}
			if seen++; seen > maxFontEntries {
				return filepath.SkipAll
			}
			name := strings.ToLower(d.Name())
			if ext := filepath.Ext(name); d.IsDir() || (ext != ".ttf" && ext != ".otf" && ext != ".ttc") {
				return nil
			}
			place := slices.IndexFunc(wide, func(part string) bool { return strings.Contains(name, part) })
			if _, taken := best[place]; place >= 0 && !taken {
				best[place] = path
			}
			return nil
		})
	}
	var paths []string
	for place := range wide {
		if path, ok := best[place]; ok {
			paths = append(paths, path)
		}
	}
	return paths
}

func readFont(path string) *sfnt.Font {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFontBytes {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	collection, err := opentype.ParseCollection(data) // a single font is a collection of one
	if err != nil {
		return nil
	}
	parsed, err := collection.Font(0)
	if err != nil {
		return nil
	}
	return parsed
}
