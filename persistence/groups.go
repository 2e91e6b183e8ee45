package persistence

import (
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Bounds of groups.
const (
	MaxGroups   = 100
	GroupSample = 3 // ids
)

// Groups are dead letters by what they have in common, the one that got its last most recently first, at most MaxGroups.
type Groups struct {
	Groups []Group
	// Complete: all dead letters that match were looked at, and all groups are here.
	Complete bool
}

// Group is dead letters of one kind whose failures have one fingerprint.
type Group struct {
	Fingerprint string
	Kind        string
	Queue       string // empty if they are of several
	Code        string // of the newest job's failure
	Message     string
	Count       int // at least so many, if the groups are not complete
	First, Last time.Time
	Sample      []job.ID // the newest
}

// GroupDead puts dead letters, newest first, into groups. It lists the newest job of each for the words of its failure.
func GroupDead(page Page, list func(Query) (Page, error)) (Groups, error) {
	groups := groupDead(page)
	if len(groups.Groups) == 0 {
		return groups, nil
	}
	return groups, groups.describe(list)
}

func groupDead(page Page) Groups {
	type key struct{ fingerprint, kind string }
	found := map[key]*Group{}
	var order []*Group
	for i := range page.Jobs {
		j := &page.Jobs[i]
		k := key{kind: j.Kind}
		if j.Failure != nil {
			k.fingerprint = j.Failure.Fingerprint
		}
		g := found[k]
		if g == nil {
			g = &Group{Fingerprint: k.fingerprint, Kind: j.Kind, Queue: j.Queue, First: j.Finished, Last: j.Finished}
			found[k] = g
			order = append(order, g)
		}
		g.add(j)
	}
	slices.SortStableFunc(order, func(a, b *Group) int { return b.Last.Compare(a.Last) })
	groups := Groups{Complete: page.Next.IsZero() && len(order) <= MaxGroups}
	for _, g := range order[:min(len(order), MaxGroups)] {
		groups.Groups = append(groups.Groups, *g)
	}
	return groups
}

func (g *Group) add(j *job.Job) {
	g.Count++
	if len(g.Sample) < GroupSample {
		g.Sample = append(g.Sample, j.ID)
	}
	if j.Queue != g.Queue {
		g.Queue = ""
	}
	if j.Finished.Before(g.First) {
		g.First = j.Finished
	}
	if j.Finished.After(g.Last) {
		g.Last = j.Finished
	}
}

// describe takes codes and messages from the newest job of each group.
func (g *Groups) describe(list func(Query) (Page, error)) error {
	ids := make([]job.ID, len(g.Groups))
	for i := range g.Groups {
		ids[i] = g.Groups[i].Sample[0]
	}
	newest, err := list(Query{IDs: ids, Limit: MaxPage})
	failures := make(map[job.ID]*job.Failure, len(newest.Jobs))
	for i := range newest.Jobs {
		failures[newest.Jobs[i].ID] = newest.Jobs[i].Failure
	}
	for i := range g.Groups {
		if f := failures[g.Groups[i].Sample[0]]; f != nil {
			g.Groups[i].Code, g.Groups[i].Message = f.Code, f.Message
		}
	}
	return err
}
