package clip

import (
	"os/exec"
	"syscall"
)

// own puts the command into a process group of its own, which is ended as a whole, and has the kernel kill it if we die without a
// chance to. The kernel means by "we" the thread that starts it, see golang.org/issue/27505.
func own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
