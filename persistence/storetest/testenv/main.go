//go:build unix

package testenv

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// Main runs a package's tests, stops the shared servers and fails the package if a goroutine is left:
//
//	func TestMain(m *testing.M) { testenv.Main(m) }
func Main(m *testing.M, options ...goleak.Option) {
	goleak.VerifyTestMain(suite{m}, options...)
}

// Run is Main for packages that have something left to do afterwards: it answers the status to exit with.
func Run(m *testing.M, options ...goleak.Option) int {
	code := suite{m}.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(options...); err != nil {
		fmt.Fprintf(os.Stderr, "goleak: Errors on successful test run: %v\n", err)
		return 1
	}
	return 0
}

// IgnoreServers lets a goleak check inside a test overlook the goroutines that hold servers.
func IgnoreServers() goleak.Option {
	return goleak.IgnoreAnyFunction("github.com/meta-ad-studio/troupe/persistence/storetest/testenv.(*process).run")
}

type suite struct{ *testing.M }

func (s suite) Run() int {
	code := s.M.Run()
	shared.stop()
	return code
}

// shared is what all tests of the process use together: each server starts when it is first asked for.
var shared environment

type environment struct {
	mu       sync.Mutex
	folder   *folder
	redis    *sharedRedis
	postgres *sharedPostgres
	template string // an initialized Postgres folder that no server runs on
}

// dir is the process's temporary folder. Call it under the lock.
func (e *environment) dir() (*folder, error) {
	if e.folder != nil {
		return e.folder, nil
	}
	f, err := newFolder()
	if err != nil {
		return nil, err
	}
	e.folder = f
	return f, nil
}

func (e *environment) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.redis != nil {
		e.redis.server.end()
	}
	if e.postgres != nil {
		e.postgres.server.end()
	}
	if e.folder != nil {
		e.folder.remove()
	}
	e.folder, e.redis, e.postgres, e.template = nil, nil, nil, ""
}
