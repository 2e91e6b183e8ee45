package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

type nodesAnswer struct {
	Nodes []actors.NodeInfo `json:"nodes"`
}

func (r *rig) nodes() []actors.NodeInfo {
	r.t.Helper()
	var answer nodesAnswer
	do(r.t, r.Server, http.MethodGet, "/v1/nodes", "").decode(r.t, &answer)
	return answer.Nodes
}

// tree asks what lives on a node, and tells that apart from a refusal.
func (r *rig) tree(query string) actors.ActorTree {
	r.t.Helper()
	got := do(r.t, r.Server, http.MethodGet, "/v1/actors"+query, "")
	if got.StatusCode != http.StatusOK {
		r.t.Fatalf("GET /v1/actors%s: %d %s", query, got.StatusCode, got.body)
	}
	var tree actors.ActorTree
	got.decode(r.t, &tree)
	return tree
}

// becomes waits until something is so.
func becomes(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func childOf(t *testing.T, parent actors.ActorNode, name string) actors.ActorNode {
	t.Helper()
	at := slices.IndexFunc(parent.Children, func(n actors.ActorNode) bool { return n.Name == name })
	if at < 0 {
		t.Fatalf("%s has no child %q: %+v", parent.Name, name, parent.Children)
	}
	return parent.Children[at]
}

func TestNodesHearOfEachOtherAndShowWhatLivesOnThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	version := func(c *actors.Config) { c.Version = "v1.2.3" }
	nodes := []*rig{w.start(nil, version), w.start(nil, version)}
	id := nodes[0].submit(`{"kind":"gate"}`)
	runner := nodes[0].await(id, job.Processing).Node
	for _, node := range nodes {
		becomes(t, "both nodes are known, and that one job runs", func() bool {
			known := node.nodes()
			running := 0
			for _, n := range known {
				for _, q := range n.Queues {
					running += q.Running
				}
			}
			return len(known) == 2 && running == 1
		})
		for _, n := range node.nodes() {
			if n.Self != (n.Name == node.app.Node()) || n.Version != "v1.2.3" || n.StartedAt.IsZero() || time.Since(n.LastSeen) > time.Minute {
				t.Errorf("%+v", n)
			}
			if (n.Actors == 1) != (n.Name == runner) {
				t.Errorf("%s has %d job actors, and %s runs the job", n.Name, n.Actors, runner)
			}
		}
		tree := node.tree("?node=" + runner) // one of them has to ask the other
		found := childOf(t, childOf(t, tree.Root, "supervisor"), id.String())
		if tree.Node != runner || found.State != "running" || found.JobKind != "gate" || found.Queue != "default" || found.Attempt != 1 {
			t.Errorf("%s: %+v", tree.Node, found)
		}
		if attempt := childOf(t, found, "attempt"); attempt.State != "running" {
			t.Errorf("%+v", attempt)
		}
		for _, name := range []string{"journal", "settler", "broadcaster", "timekeeper", "intake-default", "intake-video"} {
			if n := childOf(t, tree.Root, name); n.Mailbox == nil || n.Processed == nil || n.State == "stalled" {
				t.Errorf("%+v", n)
			}
		}
	}
	var queues struct {
		Queues []struct {
			Name           string
			Running, Limit int
		}
	}
	do(t, nodes[0].Server, http.MethodGet, "/v1/queues", "").decode(t, &queues)
	if q := queues.Queues[0]; q.Name != "default" || q.Running != 1 || q.Limit != 20 {
		t.Errorf("%+v", q)
	}
	w.release <- struct{}{}
	nodes[1].app.Close()
	becomes(t, "the node that has gone is not listed any more", func() bool { return len(nodes[0].nodes()) == 1 })
}

func TestActorsOfOneJobAndRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ids := []job.ID{r.submit(`{"kind":"gate"}`), r.submit(`{"kind":"gate"}`)}
	for _, id := range ids {
		r.await(id, job.Processing)
	}
	supervisor := childOf(t, r.tree("?job="+ids[1].String()).Root, "supervisor")
	if len(supervisor.Children) != 1 || supervisor.More != 1 || supervisor.Children[0].Name != ids[1].String() {
		t.Errorf("%+v", supervisor)
	}
	do(t, r.Server, http.MethodPost, "/v1/queues/video/pause", "")
	becomes(t, "the paused queue's intake says so", func() bool { return childOf(t, r.tree("").Root, "intake-video").State == "paused" })
	for query, status := range map[string]int{
		"?node=nobody": http.StatusNotFound, "?node=a%20b": http.StatusNotFound, "?job=7": http.StatusUnprocessableEntity,
		"?pid=1": http.StatusUnprocessableEntity, "?node=a&node=b": http.StatusUnprocessableEntity,
	} {
		if got := do(t, r.Server, http.MethodGet, "/v1/actors"+query, ""); got.StatusCode != status {
			t.Errorf("GET /v1/actors%s: %d %s, want %d", query, got.StatusCode, got.body, status)
		}
	}
	for range ids {
		r.release <- struct{}{}
	}
}

// More jobs than a tree may have: it is bounded, and says how many are left out.
func TestATreeIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	r := w.start(nil, func(c *actors.Config) { c.Queues[0].Concurrency = 300 })
	const jobs = actors.MaxActorChildren + 50
	first := r.submit(`{"kind":"gate"}`)
	for range jobs - 1 {
		r.submit(`{"kind":"gate"}`)
	}
	var supervisor actors.ActorNode
	becomes(t, fmt.Sprint(jobs, " jobs run"), func() bool {
		supervisor = childOf(t, r.tree("").Root, "supervisor")
		return len(supervisor.Children)+supervisor.More == jobs
	})
	if len(supervisor.Children) != actors.MaxActorChildren || supervisor.More != 50 || supervisor.Children[0].Name != first.String() {
		t.Errorf("%d shown, %d left out, the first is %s", len(supervisor.Children), supervisor.More, supervisor.Children[0].Name)
	}
	for range jobs {
		w.release <- struct{}{}
	}
}
