package kubernetes

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// api is a server that keeps to what the documents of the Kubernetes API say of Lease objects, and takes nothing else.
type api struct {
	t      testing.TB
	server *httptest.Server

	mu        sync.Mutex
	version   int
	objects   map[string]*lease // by name
	names     []string          // of objects, sorted
	token     string
	forbidden string // a verb
	busy      int    // so many requests are answered 429 first
	forgets   bool   // the next continuation is answered 410
	requests  map[string]int
	stalled   chan struct{} // nil unless requests hang until it is closed
}

func startAPI(t testing.TB) *api {
	a := &api{t: t, version: 100, objects: map[string]*lease{}, token: "first", requests: map[string]int{}}
	a.server = httptest.NewServer(a)
	t.Cleanup(a.server.Close)
	return a
}

// startSecureAPI is what a pod meets.
func startSecureAPI(t testing.TB) *api {
	a := startAPI(t)
	a.server.Close()
	a.server = httptest.NewUnstartedServer(a)
	a.server.EnableHTTP2 = true
	a.server.StartTLS()
	t.Cleanup(a.server.Close)
	return a
}

// config leads to the server, with credentials in files as in a pod.
func (a *api) config(t testing.TB) Config {
	folder := t.TempDir()
	c := Config{
		URL: a.server.URL, Namespace: "studio", TokenFile: filepath.Join(folder, "token"), CAFile: none, Pace: time.Nanosecond,
	}
	files := map[string]string{c.TokenFile: a.token + "\n"}
	if certificate := a.server.Certificate(); certificate != nil {
		c.CAFile = filepath.Join(folder, "ca.crt")
		files[c.CAFile] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// set changes the server's ways.
func (a *api) set(change func(*api)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

func (a *api) refuse(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code})
}

func (a *api) answer(w http.ResponseWriter, code int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object)
}

const leasesPath = "/apis/coordination.k8s.io/v1/namespaces/studio/leases"

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	stalled := a.stalled
	a.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-r.Context().Done():
			return
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	name, ok := strings.CutPrefix(r.URL.Path, leasesPath)
	name = strings.TrimPrefix(name, "/")
	verb := map[string]string{"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[r.Method]
	if verb == "get" && name == "" {
		verb = "list"
	}
	a.requests[verb]++
	switch {
	case r.Header.Get("Authorization") != "Bearer "+a.token:
		a.refuse(w, 401, "Unauthorized", "Unauthorized")
	case !ok || (name == "") != (verb == "create" || verb == "list"):
		a.refuse(w, 404, "NotFound", "the server could not find the requested resource")
	case verb == a.forbidden:
		a.refuse(w, 403, "Forbidden", `leases.coordination.k8s.io is forbidden: User "system:serviceaccount:studio:troupe" cannot `+verb+` resource "leases"`)
	case a.busy > 0:
		a.busy--
		w.Header().Set("Retry-After", "0")
		a.refuse(w, 429, "TooManyRequests", "the server has received too many requests and has asked us to try again later")
	default:
		a.serve(w, r, verb, name, body)
	}
}

func (a *api) serve(w http.ResponseWriter, r *http.Request, verb, name string, body []byte) {
	there := a.objects[name]
	if there == nil && verb != "create" && verb != "list" {
		a.refuse(w, 404, "NotFound", fmt.Sprintf("leases.coordination.k8s.io %q not found", name))
		return
	}
	switch verb {
	case "get":
		a.answer(w, 200, there)
	case "list":
		a.list(w, r)
	case "create":
		var l lease
		if !a.decode(w, r, body, &l) {
			return
		}
		switch {
		case l.Metadata.ResourceVersion != "":
			a.refuse(w, 400, "BadRequest", "resourceVersion should not be set on objects to be created")
		case a.objects[l.Metadata.Name] != nil:
			a.refuse(w, 409, "AlreadyExists", fmt.Sprintf("leases.coordination.k8s.io %q already exists", l.Metadata.Name))
		default:
			l.Metadata.UID = fmt.Sprint("uid-", a.version)
			a.store(w, 201, nil, &l)
		}
	case "update":
		var l lease
		if !a.decode(w, r, body, &l) {
			return
		}
		if l.Metadata.ResourceVersion == "" {
			a.refuse(w, 422, "Invalid", "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update")
			return
		}
		a.replace(w, name, there, &l)
	case "patch":
		a.patch(w, r, name, there, body)
	case "delete":
		var options struct {
			APIVersion    string `json:"apiVersion"`
			Kind          string `json:"kind"`
			Preconditions struct {
				UID             *string `json:"uid"`
				ResourceVersion *string `json:"resourceVersion"`
			} `json:"preconditions"`
		}
		if len(body) > 0 && !a.decode(w, r, body, &options) {
			return
		}
		p := options.Preconditions
		if p.UID != nil && *p.UID != there.Metadata.UID || p.ResourceVersion != nil && *p.ResourceVersion != there.Metadata.ResourceVersion {
			a.refuse(w, 409, "Conflict", "Precondition failed")
			return
		}
		delete(a.objects, name)
		at, _ := slices.BinarySearch(a.names, name)
		a.names = slices.Delete(a.names, at, at+1)
		a.version++
		a.answer(w, 200, map[string]string{"kind": "Status", "status": "Success"})
	}
}

// decode is as strict as fieldValidation=Strict.
func (a *api) decode(w http.ResponseWriter, r *http.Request, body []byte, into any) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || r.Header.Get("Content-Type") != "application/json" {
		a.refuse(w, 400, "BadRequest", fmt.Sprint("strict decoding error: ", err, r.Header))
		return false
	}
	return true
}

func (a *api) patch(w http.ResponseWriter, r *http.Request, name string, there *lease, body []byte) {
	if r.Header.Get("Content-Type") != "application/merge-patch+json" {
		a.refuse(w, 415, "UnsupportedMediaType", "the body of the request was in an unknown format")
		return
	}
	var target, change map[string]any
	text, _ := json.Marshal(there)
	if json.Unmarshal(text, &target) != nil || json.Unmarshal(body, &change) != nil {
		a.refuse(w, 400, "BadRequest", "error decoding patch")
		return
	}
	mergePatch(target, change)
	text, _ = json.Marshal(target)
	var next lease
	if err := json.Unmarshal(text, &next); err != nil {
		a.refuse(w, 422, "Invalid", err.Error())
		return
	}
	a.replace(w, name, there, &next)
}

// mergePatch is RFC 7386.
func mergePatch(target, change map[string]any) {
	for key, value := range change {
		inner, isMap := value.(map[string]any)
		switch {
		case value == nil:
			delete(target, key)
		case isMap:
			below, ok := target[key].(map[string]any)
			if !ok {
				below = map[string]any{}
			}
			mergePatch(below, inner)
			target[key] = below
		default:
			target[key] = value
		}
	}
}

func (a *api) replace(w http.ResponseWriter, name string, there, next *lease) {
	switch {
	case next.Metadata.Name != name:
		a.refuse(w, 400, "BadRequest", "the name of the object does not match the name on the URL")
	case next.Metadata.ResourceVersion != there.Metadata.ResourceVersion:
		a.refuse(w, 409, "Conflict", "the object has been modified; please apply your changes to the latest version and try again")
	case next.Metadata.UID != "" && next.Metadata.UID != there.Metadata.UID:
		a.refuse(w, 409, "Conflict", "Precondition failed: UID in precondition")
	default:
		next.Metadata.UID = there.Metadata.UID
		a.store(w, 200, there, next)
	}
}

var (
	objectNames = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	labelValues = regexp.MustCompile(`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`)
	noteNames   = regexp.MustCompile(`^([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
)

func (l *lease) invalid() string {
	switch {
	case l.APIVersion != "coordination.k8s.io/v1" || l.Kind != "Lease":
		return "no Lease"
	case len(l.Metadata.Name) > 253 || !objectNames.MatchString(l.Metadata.Name):
		return "metadata.name: Invalid value"
	case l.Metadata.Namespace != "" && l.Metadata.Namespace != "studio":
		return "the namespace of the object does not match the namespace on the URL"
	case l.Spec.LeaseDurationSeconds < 0:
		return "spec.leaseDurationSeconds: must be greater than 0"
	}
	for _, at := range []string{l.Spec.RenewTime, l.Spec.AcquireTime} {
		if _, err := time.Parse(microTime, at); at != "" && err != nil {
			return err.Error()
		}
	}
	for key, value := range l.Metadata.Labels {
		if !noteNames.MatchString(key) || len(value) > 63 || !labelValues.MatchString(value) {
			return "metadata.labels: Invalid value"
		}
	}
	size := 0
	for key, value := range l.Metadata.Annotations {
		if size += len(key) + len(value); !noteNames.MatchString(key) || size > 256<<10 {
			return "metadata.annotations: Invalid value"
		}
	}
	return ""
}

func (a *api) store(w http.ResponseWriter, code int, was, next *lease) {
	if what := next.invalid(); what != "" {
		a.refuse(w, 422, "Invalid", what)
		return
	}
	if next.Metadata.Namespace = "studio"; was != nil {
		before, _ := json.Marshal(was)
		after, _ := json.Marshal(next)
		if bytes.Equal(before, after) { // nothing changed: no new version
			a.answer(w, code, was)
			return
		}
	}
	a.version++
	next.Metadata.ResourceVersion = strconv.Itoa(a.version)
	a.objects[next.Metadata.Name] = next
	if at, there := slices.BinarySearch(a.names, next.Metadata.Name); !there {
		a.names = slices.Insert(a.names, at, next.Metadata.Name)
	}
	a.answer(w, code, next)
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	from := query.Get("continue")
	if from != "" && a.forgets {
		a.forgets = false
		a.refuse(w, 410, "Expired", "The provided continue parameter is too old")
		return
	}
	limit, _ := strconv.Atoi(query.Get("limit"))
	answer := leases{Items: []lease{}}
	answer.Metadata.ResourceVersion = strconv.Itoa(a.version)
	for _, name := range a.names {
		l := a.objects[name]
		if name <= from || !selected(l, query.Get("labelSelector")) {
			continue
		}
		if limit > 0 && len(answer.Items) == limit {
			answer.Metadata.Continue = answer.Items[limit-1].Metadata.Name
			break
		}
		answer.Items = append(answer.Items, *l)
	}
	a.answer(w, 200, answer)
}

// selected is for selectors of equality.
func selected(l *lease, selector string) bool {
	for term := range strings.SplitSeq(selector, ",") {
		key, value, ok := strings.Cut(term, "=")
		if got, labelled := l.Metadata.Labels[key]; term != "" && (!ok || !labelled || got != value) {
			return false
		}
	}
	return true
}
