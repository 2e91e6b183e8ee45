package main

import "time"

// clustering is how a node is one of many.
type clustering struct {
	NodeTimeout time.Duration `help:"After which silence a node is taken for dead, if its process is not known to be gone before. Its jobs are adopted then." env:"TROUPE_NODE_TIMEOUT" default:"5s" group:"cluster"`
}

// maxMachineName leaves room for an incarnation within a job.ValidName.
const maxMachineName = 44
