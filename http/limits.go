package httpapi

import "time"

// Bounds of requests.
const (
	maxBody      = 1 << 20 // bytes
	maxBatchBody = 8 << 20
	maxBatch     = 1000 // submissions in one request
	maxKey       = 255  // bytes of an idempotency key
	maxDepth     = 100  // nesting of JSON
	maxReason    = 512  // bytes of a reason given for an action
	maxText      = 200  // bytes of a text searched for
	maxPollIDs   = 100  // ids in one GET /v1/jobs?ids=
	maxDiffers   = 20   // differences named in a conflict of keys
	maxErrors    = 20   // malformed items named in the refusal of a batch
	maxSessions  = 1000
	maxToken     = 512 // bytes of a token presented

	sessionAge = 12 * time.Hour

	apiTimeout  = 25 * time.Second // what one call of the node may take
	bulkTimeout = 2 * time.Minute  // and one that touches many jobs
)

// StreamLimits bound the streams. Zero fields take the defaults.
type StreamLimits struct {
	Total        int // open at once; default 20,000
	PerPrincipal int // default 1,000
	PerIP        int // default 1,000

	Heartbeat    time.Duration // longest silence; default 15 s
	MaxAge       time.Duration // a stream ends between 90 and 100 % of it; default 10 min
	WriteTimeout time.Duration // of one write; default 5 s
}

func (l StreamLimits) withDefaults() StreamLimits {
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&l.Total, 20_000)
	orInt(&l.PerPrincipal, 1_000)
	orInt(&l.PerIP, 1_000)
	orTime(&l.Heartbeat, 15*time.Second)
	orTime(&l.MaxAge, 10*time.Minute)
	orTime(&l.WriteTimeout, 5*time.Second)
	return l
}

// Bounds of the server.
const (
	readHeaderTimeout    = 5 * time.Second
	readTimeout          = 15 * time.Second
	writeTimeout         = 30 * time.Second // streams and artifacts set their own
	idleTimeout          = 120 * time.Second
	maxHeaderBytes       = 16 << 10
	maxConcurrentStreams = 1000 // on one HTTP/2 connection: proxies pool
	defaultConnections   = 25_000
	maxDrainWindow       = 20 * time.Second
)
