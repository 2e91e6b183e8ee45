//go:build unix

package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// process is one run of a server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startProcess starts the command and lets the kernel send it the signal if this process dies.
func startProcess(cmd *exec.Cmd, death syscall.Signal) (*process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	dieWithParent(cmd.SysProcAttr, death)
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// run starts the command and waits for its end on one locked thread: the kernel sends the death signal when the thread that
// started the child ends, not the process (golang/go#27505).
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	err := p.cmd.Start()
	started <- err
	if err == nil {
		_ = p.cmd.Wait()
	}
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// tree signals the process and its children, which it answers. The process is stopped first, so that it has no further ones
// meanwhile.
func (p *process) tree(sig syscall.Signal) ([]int, error) {
	pid := p.cmd.Process.Pid
	if sig != syscall.SIGCONT {
		if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			return nil, err
		}
	}
	pids := children(pid)
	for _, child := range pids {
		_ = syscall.Kill(child, sig)
	}
	return pids, p.cmd.Process.Signal(sig)
}

// kill ends the process and its children with SIGKILL and returns when all are gone: Postgres does not start while a child
// of its predecessor still has their shared memory.
func (p *process) kill() error {
	pids, err := p.tree(syscall.SIGKILL)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for deadline := time.Now().Add(endWithin); slices.ContainsFunc(pids, alive); <-poll.C {
		if time.Now().After(deadline) {
			return fmt.Errorf("children %v do not end", pids)
		}
	}
	return nil
}

// end asks the process to end by a signal, and kills it if it does not obey within the time.
func (p *process) end(sig syscall.Signal, within time.Duration) error {
	_ = p.cmd.Process.Signal(sig)
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return errors.Join(errors.New("it did not end by itself and was killed"), p.kill())
	}
}
