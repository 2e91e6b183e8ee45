package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// parseCommand reads a command line in a folder of its own, which has the given troupe.yaml.
func parseCommand(t *testing.T, file string, env map[string]string, args ...string) (cli, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, entry := range os.Environ() { // what the developer's own node is set to
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "TROUPE_") {
			t.Setenv(name, "") // so that it is restored
			os.Unsetenv(name)
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	if file != "" {
		if err := os.WriteFile("troupe.yaml", []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var c cli
	parser, err := kong.New(&c, kong.ExplicitGroups(groups))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return c, err
}

func TestFlagsWinOverEnvironmentOverFileOverDefaults(t *testing.T) {
	file := "lease: 3s\ndrain: 3s\nretention: 3h\nsamples: true\n"
	env := map[string]string{"TROUPE_LEASE": "2s", "TROUPE_DRAIN": "2s"}
	c, err := parseCommand(t, file, env, "serve", "--lease", "1s")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Serve
	if s.Lease != time.Second || s.Drain != 2*time.Second || s.Retention != 3*time.Hour || !s.Samples || s.Listen != "127.0.0.1:8080" {
		t.Errorf("got lease %s of the flag, drain %s of the environment, retention %s and samples %t of the file, listen %s by default",
			s.Lease, s.Drain, s.Retention, s.Samples, s.Listen)
	}
}

func TestEverySettingCanBeInTheFile(t *testing.T) {
	file := `
listen: 127.0.0.1:9000
redis-url: redis://r/1
database-url: postgres://d/x
redis-prefix: "p:"
auto-migrate: true
token-hashes: ["a:00", "b:01"]
name: n1
queues:
  reports: {concurrency: 4, durability: store}
  default: {concurrency: 200}
ffmpeg: none
stream-secret: [0123456789abcdef0123456789abcdef, 0123456789abcdef0123456789abcdeg]
allow-origin: https://studio.example
trusted-proxies: [10.0.0.0/8, 192.0.2.1]
max-streams-per-address: 5
`
	c, err := parseCommand(t, file, nil, "dev")
	if err != nil {
		t.Fatal(err)
	}
	d := c.Dev
	if d.Listen != "127.0.0.1:9000" || d.RedisURL != "redis://r/1" || d.DatabaseURL != "postgres://d/x" || d.RedisPrefix != "p:" ||
		!d.AutoMigrate || d.Name != "n1" || d.FFmpeg != "none" {
		t.Errorf("got %+v", d)
	}
	if want := []string{"a:00", "b:01"}; !slices.Equal(d.TokenHash, want) {
		t.Errorf("token hashes %q, want %q", d.TokenHash, want)
	}
	if !slices.Equal(d.TrustedProxies, []string{"10.0.0.0/8", "192.0.2.1"}) || !slices.Equal(d.AllowOrigin, []string{"https://studio.example"}) ||
		len(d.StreamSecret) != 2 || d.MaxPerAddress != 5 || d.MaxPerPrincipal != 1000 {
		t.Errorf("got %+v", d.access)
	}
	if want := []string{"default=200", "reports=4:store"}; !slices.Equal(d.Queues, want) {
		t.Errorf("queues %q, want %q", d.Queues, want)
	}
	if c, err := parseCommand(t, file, nil, "migrate", "up"); err != nil || c.Migrate.Up.DatabaseURL != "postgres://d/x" {
		t.Errorf("migrate up reads %q, %v", c.Migrate.Up.DatabaseURL, err)
	}
}

func TestConfigNamesTheFile(t *testing.T) {
	named := filepath.Join(t.TempDir(), "node.yaml")
	if err := os.WriteFile(named, []byte("lease: 5s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	byFlag, err := parseCommand(t, "lease: 3s\n", nil, "serve", "--config", named)
	if err != nil || byFlag.Serve.Lease != 5*time.Second {
		t.Errorf("--config: lease %s, %v", byFlag.Serve.Lease, err)
	}
	byEnv, err := parseCommand(t, "lease: 3s\n", map[string]string{"TROUPE_CONFIG": named}, "serve")
	if err != nil || byEnv.Serve.Lease != 5*time.Second {
		t.Errorf("TROUPE_CONFIG: lease %s, %v", byEnv.Serve.Lease, err)
	}
}

func TestFileThatCantBeMeantIsRefused(t *testing.T) {
	for file, want := range map[string]string{
		"lisen: x\n":                          `unknown setting "lisen"`,
		"config: other.yaml\n":                `unknown setting "config"`,
		"lease: soon\n":                       "lease: troupe.yaml: ",
		"lease:\n":                            "line 1: lease: want a value",
		"lease: {a: 1}\n":                     "line 1: lease: want a value",
		"lease: 1s\nlease: 2s\n":              `"lease" already defined at line 1`,
		"- lease\n":                           "line 1: cannot unmarshal",
		"lease: [\n":                          "line 1: ",
		"queues: [default=1]\n":               "queues: want NAME: {concurrency: N",
		"queues:\n  a: {concurency: 1}\n":     `unknown setting "concurency"`,
		"queues:\n  a: {durability: store}\n": "N at least 1",
		"queues:\n  a: {concurrency: 0}\n":    "N at least 1",
	} {
		_, err := parseCommand(t, file, nil, "serve")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", file, err, want)
		}
	}
	if _, err := parseCommand(t, "", nil, "serve", "--config", "nowhere.yaml"); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("a file that is asked for and not there: %v", err)
	}
}
