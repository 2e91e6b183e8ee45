package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// lease is what we use of a coordination.k8s.io/v1 Lease.
type lease struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Metadata   meta   `json:"metadata"`
	Spec       spec   `json:"spec"`
}

type meta struct {
	Name            string            `json:"name,omitempty"`
	Namespace       string            `json:"namespace,omitempty"`
	UID             string            `json:"uid,omitempty"`
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	Annotations     map[string]string `json:"annotations,omitempty"`
}

type spec struct {
	HolderIdentity       string `json:"holderIdentity,omitempty"`
	LeaseDurationSeconds int64  `json:"leaseDurationSeconds,omitempty"`
	AcquireTime          string `json:"acquireTime,omitempty"`
	RenewTime            string `json:"renewTime,omitempty"`
}

type leases struct {
	Metadata struct {
		ResourceVersion string `json:"resourceVersion"`
		Continue        string `json:"continue"`
	} `json:"metadata"`
	Items []lease `json:"items"`
}

// Labels and annotations of ours.
const (
	labelGroup = "troupe-members"
	labelState = "troupe-state"
	alive      = "alive"
	fallen     = "fallen"

	noteAddress     = "troupe-address"
	noteIncarnation = "troupe-incarnation"
	noteInfo        = "troupe-info"
	noteStarted     = "troupe-started"
	noteSilence     = "troupe-silence"
	noteDrain       = "troupe-drain"
	noteFell        = "troupe-fell"
	noteTouched     = "troupe-touched"
)

// microTime is how the API writes a time of a Lease.
const microTime = "2006-01-02T15:04:05.000000Z07:00"

// objectName is the name of a member's object: any node's name may hold capitals and be long, an object's may not.
func (m *Members) objectName(member string) string {
	sum := sha256.Sum256([]byte(m.config.Group + "\x00" + member))
	return "troupe-" + hex.EncodeToString(sum[:12])
}

// rollName is the name of the roll, which no member's can be: it is longer.
func (m *Members) rollName() string {
	sum := sha256.Sum256([]byte(m.config.Group))
	return "troupe-roll-" + hex.EncodeToString(sum[:12])
}

// leaseOf is the object of a member that beats now.
func (m *Members) leaseOf(one *persistence.Member, silence time.Duration, at time.Time) lease {
	l := lease{
		APIVersion: "coordination.k8s.io/v1", Kind: "Lease",
		Metadata: meta{
			Name: m.objectName(one.Name), Namespace: m.config.Namespace,
			Labels: map[string]string{labelGroup: m.config.Group, labelState: alive},
			Annotations: map[string]string{
				noteIncarnation: strconv.FormatInt(one.Incarnation, 10), noteStarted: one.Started.UTC().Format(time.RFC3339Nano), noteSilence: silence.String(),
			},
		},
		Spec: spec{
			HolderIdentity: one.Name, LeaseDurationSeconds: int64((silence + time.Second - 1) / time.Second), RenewTime: at.UTC().Format(microTime),
		},
	}
	if !one.Started.IsZero() {
		l.Spec.AcquireTime = one.Started.UTC().Format(microTime)
	}
	if one.Address != "" {
		l.Metadata.Annotations[noteAddress] = one.Address
	}
	if len(one.Info) > 0 {
		l.Metadata.Annotations[noteInfo] = string(one.Info)
	}
	return l
}

func (l *lease) note(name string) string { return l.Metadata.Annotations[name] }
func (l *lease) fell() bool              { return l.Metadata.Labels[labelState] == fallen }

// silence is how long the member may be silent.
func (l *lease) silence() time.Duration {
	d, err := time.ParseDuration(l.note(noteSilence))
	if err != nil {
		d = time.Duration(l.Spec.LeaseDurationSeconds) * time.Second
	}
	return max(d, persistence.MinSilence)
}

func (l *lease) renewed() time.Time {
	at, _ := time.Parse(microTime, l.Spec.RenewTime)
	return at.UTC()
}

func (l *lease) info() json.RawMessage {
	if text := l.note(noteInfo); text != "" {
		return json.RawMessage(text)
	}
	return nil
}

func (l *lease) member() (persistence.Member, error) {
	incarnation, err := strconv.ParseInt(l.note(noteIncarnation), 10, 64)
	if err != nil {
		return persistence.Member{}, fmt.Errorf("lease %s: %w", l.Metadata.Name, err)
	}
	started, err := time.Parse(time.RFC3339Nano, l.note(noteStarted))
	if err != nil {
		return persistence.Member{}, fmt.Errorf("lease %s: %w", l.Metadata.Name, err)
	}
	return persistence.Member{
		Name: l.Spec.HolderIdentity, Incarnation: incarnation, Address: l.note(noteAddress), Started: started.UTC(), Info: l.info(), Seen: l.renewed(),
	}, nil
}

// another says whether whoever reads the list needs to know of the change.
func (l *lease) another(next *lease) bool {
	return l.fell() != next.fell() || l.note(noteIncarnation) != next.note(noteIncarnation) || l.note(noteAddress) != next.note(noteAddress)
}
