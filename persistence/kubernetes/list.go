package kubernetes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// pageSize is how many objects one answer holds.
const pageSize = 500

// listTries is how often a list is begun anew because the server has forgotten where it was.
const listTries = 3

// read lists the objects of the group's members in one of the states; of all if the state is empty.
func (m *Members) read(ctx context.Context, state string) ([]lease, error) {
	selector := labelGroup + "=" + m.config.Group
	if state != "" {
		selector += "," + labelState + "=" + state
	}
	for try := 1; ; try++ {
		all, err := m.readPages(ctx, selector)
		if err == nil || !errors.Is(err, errGone) {
			return all, err
		}
		if try == listTries {
			return nil, fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
		}
	}
}

func (m *Members) readPages(ctx context.Context, selector string) (all []lease, err error) {
	query := url.Values{"labelSelector": {selector}, "limit": {strconv.Itoa(pageSize)}}
	for {
		var page leases
		if err := m.ask(ctx, list, "", query, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Metadata.Continue == "" {
			return all, nil
		}
		query.Set("continue", page.Metadata.Continue)
	}
}

// List implements persistence.Members.
func (m *Members) List(ctx context.Context) ([]persistence.Member, error) {
	objects, err := m.read(ctx, alive)
	if err != nil {
		return nil, err
	}
	m.counted(len(objects))
	all := make([]persistence.Member, 0, len(objects))
	for i := range objects {
		one, err := objects[i].member()
		if err != nil {
			return nil, fmt.Errorf("kubernetes: list the members: %w", err)
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b persistence.Member) int { return strings.Compare(a.Name, b.Name) })
	return all[:min(len(all), persistence.MaxMembers)], nil
}

// Fallen implements persistence.Members.
func (m *Members) Fallen(ctx context.Context) ([]persistence.Fallen, error) {
	objects, err := m.read(ctx, fallen)
	if err != nil {
		return nil, err
	}
	all := make([]persistence.Fallen, 0, len(objects))
	for i := range objects {
		l := &objects[i]
		since, err := time.Parse(time.RFC3339Nano, l.note(noteFell))
		if err != nil {
			since = l.renewed()
		}
		all = append(all, persistence.Fallen{Name: l.Spec.HolderIdentity, Since: since.UTC(), Info: l.info()})
	}
	slices.SortFunc(all, func(a, b persistence.Fallen) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Name, b.Name))
	})
	return all[:min(len(all), persistence.MaxMembers)], nil
}

// Bury implements persistence.Members. It deletes the object as it was read: one that has beaten meanwhile stays.
func (m *Members) Bury(ctx context.Context, name string) error {
	var l lease
	err := m.ask(ctx, get, m.objectName(name), nil, nil, &l)
	if errors.Is(err, persistence.ErrNotFound) || err == nil && !l.fell() {
		return nil
	}
	if err != nil {
		return err
	}
	options := map[string]any{
		"apiVersion": "v1", "kind": "DeleteOptions",
		"preconditions": map[string]string{"uid": l.Metadata.UID, "resourceVersion": l.Metadata.ResourceVersion},
	}
	err = m.changed(m.ask(ctx, remove, l.Metadata.Name, nil, options, nil))
	if errors.Is(err, persistence.ErrNotFound) || errors.Is(err, errConflict) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = m.touch(ctx)
	return err
}

// room says with persistence.ErrFull that there are as many members as may be. It counts when it last knew of that many.
func (m *Members) room(ctx context.Context) error {
	m.mu.Lock()
	known, fresh := m.judging.crowd, m.judging.counted
	m.mu.Unlock()
	if !fresh || known >= persistence.MaxMembers {
		objects, err := m.read(ctx, alive)
		if err != nil {
			return err
		}
		m.counted(len(objects))
		known = len(objects)
	}
	if known >= persistence.MaxMembers {
		return fmt.Errorf("kubernetes: %w: %d members", persistence.ErrFull, known)
	}
	m.mu.Lock()
	m.judging.crowd++
	m.mu.Unlock()
	return nil
}

// counted notes how many members live.
func (m *Members) counted(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.judging.crowd, m.judging.counted = n, true
}
