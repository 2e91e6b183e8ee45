//go:build unix

package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// races are data races inside of protoactor, which its users can't avoid and which are not theirs to fix. One line each for the race
// detector of a child process; the reason stands beside it.
var races = []string{
	// Each start of a remote sets grpc's process-wide logger, without regard to connections of others that log.
	"race:google.golang.org/grpc/grpclog.SetLoggerV2",
}

// Race adds to an environment what lets a child process that speaks protoactor's remote run under the race detector: it
// overlooks the library's own races, each named in this file, and ends the process with status 66 at any other. Without the
// race detector it changes nothing.
func Race(env []string) ([]string, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	folder, err := shared.dir()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder.path, "races")
	if err := os.WriteFile(path, []byte(strings.Join(races, "\n")+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("name the library's races: %w", err)
	}
	options := "halt_on_error=1 suppressions=" + path
	for _, variable := range env {
		if given, ok := strings.CutPrefix(variable, "GORACE="); ok {
			options = given + " " + options
		}
	}
	return append(env[:len(env):len(env)], "GORACE="+options), nil
}
