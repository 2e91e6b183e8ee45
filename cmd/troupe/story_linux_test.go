package main

import "syscall"

// dieWithTests has the kernel kill a node when the thread that started it ends, as it does with the process.
func dieWithTests() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
