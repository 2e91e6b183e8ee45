//go:build unix

package testenv_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestMain(m *testing.M) {
	if os.Getenv("TESTENV_VICTIM") != "" {
		victim()
	}
	testenv.Main(m)
}

func psql(t *testing.T, url, statement string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "psql", "-X", "-q", "-A", "-t", "-c", statement, url).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func mustPsql(t *testing.T, url, statement string) string {
	t.Helper()
	out, err := psql(t, url, statement)
	if err != nil {
		t.Fatalf("%s: %v: %s", statement, err, out)
	}
	return out
}

func redis(t *testing.T, url string, command ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "redis-cli", append([]string{"-u", url}, command...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestSharedServersGiveEmptyDatabases(t *testing.T) {
	var redisURL, postgresURL string
	for i := range 2 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			redisURL, postgresURL = testenv.Redis(t), testenv.Postgres(t)
			if other := testenv.Redis(t); other == redisURL {
				t.Errorf("two databases in use at once are both %s", other)
			}
			if got := redis(t, redisURL, "DBSIZE"); got != "0" {
				t.Errorf("a new redis database has %s keys", got)
			}
			redis(t, redisURL, "SET", "left", "1")
			mustPsql(t, postgresURL, "CREATE TABLE left_behind (id int)")
		})
		if out, err := psql(t, postgresURL, "SELECT 1"); err == nil {
			t.Errorf("the database of an ended test is still there: %s", out)
		}
	}
}

func TestOwnPostgresKeepsItsDataOverStopAndKill(t *testing.T) {
	s := testenv.StartPostgres(t, testenv.Options{Durable: true})
	mustPsql(t, s.URL, "CREATE TABLE kept (n int)")
	for n, end := range []func(){s.Stop, s.Kill} {
		mustPsql(t, s.URL, "INSERT INTO kept VALUES (1)")
		end()
		if s.Running() {
			t.Error("it says that it runs after its end")
		}
		if _, err := net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
			t.Error("something listens after its end")
		}
		s.Start()
		if got := mustPsql(t, s.URL, "SELECT count(*) FROM kept"); got != strconv.Itoa(n+1) {
			t.Errorf("%s rows after the restart, want %d", got, n+1)
		}
	}
}

func TestOwnRedisKeepsItsDataOverStopAndKillIfDurable(t *testing.T) {
	for _, durable := range []bool{true, false} {
		s := testenv.StartRedis(t, testenv.Options{Durable: durable})
		for _, end := range []func(){s.Stop, s.Kill} {
			redis(t, s.URL, "SET", "kept", "yes")
			end()
			s.Start()
			if got := redis(t, s.URL, "GET", "kept"); (got == "yes") != durable {
				t.Errorf("durable %v: after the restart the key is %q", durable, got)
			}
		}
	}
}

func TestSuspendedServersAnswerAgainWhenResumed(t *testing.T) {
	p, r := testenv.StartPostgres(t, testenv.Options{}), testenv.StartRedis(t, testenv.Options{})
	for _, s := range []*testenv.Server{p, r} {
		s.Suspend()
	}
	conn, err := net.Dial("tcp", r.Addr)
	if err != nil {
		t.Fatalf("the kernel no longer takes connections for a suspended server: %v", err)
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("PING\r\n"))
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 8)); err == nil {
		t.Errorf("a suspended redis answered %d bytes", n)
	}
	for _, s := range []*testenv.Server{p, r} {
		s.Resume()
	}
	if got := redis(t, r.URL, "PING"); got != "PONG" {
		t.Errorf("redis answers %q", got)
	}
	if got := mustPsql(t, p.URL, "SELECT 1"); got != "1" {
		t.Errorf("postgres answers %q", got)
	}
	p.Suspend() // and the end of the test must cope with it
}

// victim is the part of TestKilledProcessLeavesNoServer that is killed.
func victim() {
	testing.Init()
	t := &testing.T{}
	for _, addr := range []string{testenv.StartRedis(t, testenv.Options{}).Addr, testenv.StartPostgres(t, testenv.Options{}).Addr} {
		_, _ = os.Stdout.WriteString(addr + "\n")
	}
	_ = os.Stdout.Close()
	select {}
}

func TestKilledProcessLeavesNoServer(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tmp, err := os.MkdirTemp("", "testenv-victim-") // t.TempDir is closed to the account of Postgres
	if err == nil {
		err = os.Chmod(tmp, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), "TESTENV_VICTIM=1", "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	buf := make([]byte, 256)
	for n, err := out.Read(buf); err == nil; n, err = out.Read(buf) {
		text.Write(buf[:n])
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	addrs := strings.Fields(text.String())
	if len(addrs) != 2 {
		t.Fatalf("the other process told %q, want two addresses", addrs)
	}
	for _, addr := range addrs {
		for {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				break
			}
			_ = conn.Close()
			if ctx.Err() != nil {
				t.Fatalf("%s still listens", addr)
			}
		}
	}
}
