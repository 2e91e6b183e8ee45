package kubernetes

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

func nonce() string { return rand.Text() }

// beatTries is how often a beat is written anew because somebody else changed the object: to declare its member dead, or to ask it
// to drain.
const beatTries = 8

// Beat implements persistence.Members. A beat that says nothing new within Config.Pace of the last is answered from that.
func (m *Members) Beat(ctx context.Context, one persistence.Member, silence time.Duration) (persistence.Roll, error) {
	if err := persistence.CheckMember(&one, silence); err != nil {
		return persistence.Roll{}, err
	}
	me, done, err := m.self(ctx, one.Name)
	if err != nil {
		return persistence.Roll{}, err
	}
	defer done()
	if m.recent(me, &one, silence) {
		return me.roll, ctx.Err()
	}
	roll, err := m.beat(ctx, me, &one, silence)
	m.mu.Lock()
	m.judging.answered(err == nil, m.config.Pace)
	m.mu.Unlock()
	if err != nil {
		return persistence.Roll{}, err
	}
	me.last, me.roll = time.Now(), roll
	me.roll.Returned = false // is said once
	return roll, nil
}

func (m *Members) recent(me *own, one *persistence.Member, silence time.Duration) bool {
	if !me.beaten || me.object == nil || time.Since(me.last) >= m.config.Pace || silence != me.object.silence() {
		return false
	}
	next := m.leaseOf(one, silence, time.Time{})
	return !me.object.another(&next)
}

func (m *Members) beat(ctx context.Context, me *own, one *persistence.Member, silence time.Duration) (roll persistence.Roll, err error) {
	for range beatTries {
		var returned bool
		if returned, err = m.write(ctx, me, one, silence); err == nil {
			roll.Returned = roll.Returned || returned
			break
		}
		if !errors.Is(err, errConflict) && !errors.Is(err, errExists) && !errors.Is(err, persistence.ErrNotFound) {
			return roll, err
		}
		me.object = nil // others have changed it
	}
	if err != nil {
		return roll, fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
	}
	roll.DrainBy = me.object.note(noteDrain)
	if err := m.judge(ctx, one.Name); err != nil {
		return roll, err
	}
	version, err := m.touch(ctx)
	if err != nil {
		return roll, err
	}
	roll.Epoch = epochOf(version)
	roll.Fallen, err = m.anybodyFallen(ctx, version)
	return roll, err
}

// write makes the member's object what it is now, and says whether the member was dead.
func (m *Members) write(ctx context.Context, me *own, one *persistence.Member, silence time.Duration) (returned bool, err error) {
	if me.object == nil {
		var there lease
		err := m.ask(ctx, get, m.objectName(one.Name), nil, nil, &there)
		switch {
		case err == nil:
			me.object = &there
		case errors.Is(err, persistence.ErrNotFound):
			return m.come(ctx, me, one, silence)
		default:
			return false, err
		}
	}
	was := me.object
	next := m.leaseOf(one, silence, m.later(was))
	next.Metadata.ResourceVersion, next.Metadata.UID = was.Metadata.ResourceVersion, was.Metadata.UID
	if by := was.note(noteDrain); by != "" && !was.fell() {
		next.Metadata.Annotations[noteDrain] = by
	}
	var written lease
	err = m.ask(ctx, update, next.Metadata.Name, nil, &next, &written)
	if was.another(&next) {
		err = m.changed(err)
	}
	if err != nil {
		return false, err
	}
	me.object, me.beaten = &written, true
	return was.fell(), nil
}

// come makes a new object. One that has beaten before, and finds its object gone, was declared dead and is buried.
func (m *Members) come(ctx context.Context, me *own, one *persistence.Member, silence time.Duration) (returned bool, err error) {
	if err := m.room(ctx); err != nil {
		return false, err
	}
	next := m.leaseOf(one, silence, m.clock.now())
	var written lease
	if err := m.changed(m.ask(ctx, create, "", nil, &next, &written)); err != nil {
		return false, err
	}
	returned = me.beaten
	me.object, me.beaten = &written, true
	return returned, nil
}

// later is the server's time, and later than the last beat's: an object that is written as it was has no new version.
func (m *Members) later(was *lease) time.Time {
	now := m.clock.now()
	if last := was.renewed(); !now.After(last) {
		now = last
	}
	return now.Add(time.Microsecond)
}

// Leave implements persistence.Members.
func (m *Members) Leave(ctx context.Context, name string) error {
	me, done, err := m.self(ctx, name)
	if err != nil {
		return err
	}
	defer done()
	err = m.changed(m.ask(ctx, remove, m.objectName(name), nil, nil, nil))
	if err != nil && !errors.Is(err, persistence.ErrNotFound) {
		return err
	}
	me.object, me.beaten = nil, false
	m.mu.Lock()
	delete(m.mine, name)
	m.judging.crowd = max(m.judging.crowd-1, 0)
	m.mu.Unlock()
	if !m.owed.Load() {
		return nil
	}
	_, err = m.touch(ctx)
	return err
}

// AskDrain implements persistence.Members.
func (m *Members) AskDrain(ctx context.Context, name, by string) error {
	if err := persistence.CheckDrain(name, by); err != nil {
		return err
	}
	var err error
	for range beatTries {
		var l lease
		if err = m.ask(ctx, get, m.objectName(name), nil, nil, &l); err != nil {
			return err
		}
		if l.fell() {
			return fmt.Errorf("kubernetes: ask %s to drain: it was declared dead: %w", name, persistence.ErrNotFound)
		}
		change := map[string]any{"metadata": map[string]any{
			"resourceVersion": l.Metadata.ResourceVersion, "annotations": map[string]string{noteDrain: by},
		}}
		if err = m.ask(ctx, patch, l.Metadata.Name, nil, change, nil); !errors.Is(err, errConflict) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
}
