package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/meta-ad-studio/troupe"

// mayImport is who may import whom within the module, by the longest folder that fits: first the importer, then what it may import, each
// with all below it.
var mayImport = map[string][]string{
	"actors/job":             {},
	"migrations":             {},
	"persistence":            {"actors/job"},
	"persistence/local":      {"persistence", "actors/job"},
	"persistence/reference":  {"persistence", "actors/job"},
	"persistence/redis":      {"persistence", "actors/job"},
	"persistence/kubernetes": {"persistence", "actors/job"},
	"persistence/postgres":   {"persistence", "actors/job", "migrations"},
	"persistence/sqlite":     {"persistence", "actors/job", "migrations"},
	"persistence/storetest":  {"persistence", "actors/job"},
	"persistence/fencemodel": {"persistence", "actors/job"},
	"actors":                 {"persistence", "actors/job", "actors/cluster"},
	"actors/cluster":         {"persistence", "actors/job"},
	"actors/kinds":           {"actors", "actors/job", "actors/kinds", "persistence"},
	"http":                   {"actors", "actors/job", "persistence"},
	"http/ui":                {},
	"cmd/troupe":             {"actors", "http", "persistence", "migrations"},
}

// homes are the only folders that may import a third-party module, beside tests.
var homes = map[string][]string{
	"github.com/asynkron/protoactor-go":   {"actors"},
	"google.golang.org/grpc":              {"actors/cluster"},
	"google.golang.org/protobuf":          {"actors/cluster"},
	"github.com/gorilla/mux":              {"http"},
	"github.com/golang-jwt/jwt":           {"http"},
	"github.com/jackc/pgx":                {"persistence/postgres"},
	"github.com/redis/go-redis":           {"persistence/redis"},
	"modernc.org/sqlite":                  {"persistence/sqlite"},
	"github.com/pressly/goose":            {"migrations"},
	"github.com/prometheus/client_golang": {"actors", "http", "cmd/troupe"},
	"github.com/alecthomas/kong":          {"cmd/troupe"},
	"golang.org/x/image":                  {"actors/kinds/video"},
}

func TestImportsFollowTheRule(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() && path != root {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return fs.SkipDir // another module
			}
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		files++
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		checkImports(t, path, filepath.ToSlash(filepath.Dir(relative)), strings.HasSuffix(path, "_test.go"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Fatalf("only %d files were read", files)
	}
}

func checkImports(t *testing.T, path, folder string, test bool) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if inner, ok := strings.CutPrefix(imported, module+"/"); ok {
			if !test && !allowed(folder, inner) {
				t.Errorf("%s imports %s: the rule forbids it", path, inner)
			}
			continue
		}
		for third, at := range homes {
			if !test && below(imported, third) && !anyAbove(at, folder) {
				t.Errorf("%s imports %s, whose home is %v", path, imported, at)
			}
		}
		if !test && folder == "actors/job" && strings.Contains(strings.Split(imported, "/")[0], ".") {
			t.Errorf("%s imports %s: the core imports the standard library only", path, imported)
		}
	}
}

func allowed(folder, inner string) bool {
	rule, found := "", false
	for from := range mayImport {
		if below(folder, from) && len(from) >= len(rule) {
			rule, found = from, true
		}
	}
	if !found {
		return false
	}
	if below(inner, rule) && rule != "actors" && rule != "persistence" {
		return true // within one room
	}
	if below(folder, "persistence/storetest") && below(inner, "persistence/storetest") {
		return true
	}
	for _, to := range mayImport[rule] {
		exact := to == "actors" || to == "persistence"
		if inner == to || !exact && below(inner, to) || exact && rule == "cmd/troupe" && below(inner, to) {
			return true
		}
	}
	return false
}

func below(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func anyAbove(folders []string, path string) bool {
	for _, f := range folders {
		if below(path, f) {
			return true
		}
	}
	return false
}
