package httpapi

import (
	stdflag "flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

var update = stdflag.Bool("update", false, "rewrite the expected parts of testdata from what the code does")

// noting notes what is registered: also what has no series yet.
type noting struct {
	prometheus.Registerer
	lines []string
}

func (n *noting) Register(c prometheus.Collector) error {
	kind := strings.ToLower(regexp.MustCompile(`Counter|Gauge|Histogram|Summary`).FindString(fmt.Sprintf("%T", c)))
	if kind == "" { // the plain ones are unexported types, told apart by what they can do
		switch c.(type) {
		case prometheus.Gauge: // before Counter, whose methods it has
			kind = "gauge"
		case prometheus.Counter:
			kind = "counter"
		case prometheus.Histogram:
			kind = "histogram"
		}
	}
	descs := make(chan *prometheus.Desc, 100)
	c.Describe(descs)
	close(descs)
	for desc := range descs {
		parts := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`).FindStringSubmatch(desc.String())
		n.lines = append(n.lines, strings.TrimRight(fmt.Sprintf("%s %s %s", parts[1], kind, parts[2]), " "))
	}
	return n.Registerer.Register(c)
}

func (n *noting) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := n.Register(c); err != nil {
			panic(err)
		}
	}
}

// Dashboards and alerts are made of these names. One that changes is a change of the public contract.
func TestNamesTypesAndLabelsOfMetrics(t *testing.T) {
	t.Parallel()
	notes := &noting{Registerer: prometheus.NewRegistry()}
	newWorld(t, testenv.Redis(t)).start(
		func(c *Config) { c.Registerer = notes },
		func(c *actors.Config) { c.Metrics = notes },
	)
	slices.Sort(notes.lines)
	got := strings.Join(notes.lines, "\n") + "\n"
	golden := filepath.Join("testdata", "metrics.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-) and the node (+) differ; if that is meant, run the test with -update:\n%s", golden, diff)
	}
}

// What jobs are called, whose they are and what they carry makes no series.
func TestJobsMakeNoSeries(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	submit := func(n int) {
		var batch strings.Builder
		for i := range n {
			kind := "video.generate" // few, because they run one after the other
			if i > 20 {
				kind = []string{"echo", "boom"}[rng.IntN(2)]
			}
			name := func() string { return fmt.Sprintf("x%d", rng.Uint64()) }
			fmt.Fprintf(&batch, `{"kind":%q,"owner":%q,"tags":[%q,%q],"group":%q,"batch":%q,"priority":%d,"max_attempts":%d,"key":%q,"payload":%q}`+"\n",
				kind, name(), name(), name(), name(), name(), rng.IntN(4), 1+rng.IntN(5), name(), name())
		}
		if r := do(t, rig.Server, "POST", "/v1/jobs/batch", batch.String()); r.StatusCode != 202 {
			t.Fatalf("%d %.300s", r.StatusCode, r.body)
		}
		waitFor(t, "all jobs to end", func() bool {
			var page jobPage
			do(t, rig.Server, "GET", "/v1/jobs?limit=1&status=scheduled,queued,processing,retrying,cancelling", "").decode(t, &page)
			return len(page.Jobs) == 0
		})
	}
	series := func() map[string]bool {
		all := map[string]bool{}
		for line := range strings.Lines(do(t, rig.Server, "GET", "/metrics", "").body) {
			if strings.HasPrefix(line, "troupe_") {
				all[line[:strings.LastIndexByte(line, ' ')]] = true
			}
		}
		return all
	}
	submit(100)
	series() // a look makes a series, too
	before := series()
	submit(1000)
	after := series()
	var added []string
	for one := range after {
		if !before[one] {
			added = append(added, one)
		}
		if regexp.MustCompile(`"x\d+`).MatchString(one) {
			t.Errorf("a series of one job: %s", one)
		}
	}
	if len(before) < 100 || len(added) > 25 { // an outcome that had not happened yet may bring its few buckets
		t.Errorf("seed %d: %d series became %d: %v", seed, len(before), len(after), added)
	}
}
