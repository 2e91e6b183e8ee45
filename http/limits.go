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
	maxSearch    = 1000 // bytes of a search
	maxTerms     = 20   // qualifiers and words in it
	maxPath      = 8    // names in payload.PATH
	minIDDigits  = 4    // of an id that is searched for by its beginning
	maxPollIDs   = 100  // ids in one GET /v1/jobs?ids=
	maxMessage   = 300  // bytes of a failure's message in a list
	maxDiffers   = 20   // differences named in a conflict of keys
	maxErrors    = 20   // malformed items named in the refusal of a batch
	maxToken     = 512  // bytes of a token presented

	maxGrantTopics = 50      // of one stream token or ticket
	maxGrantText   = 8 << 10 // bytes of one presented: twice what so many topics need
	maxTokenID     = 64      // bytes of a token's own id
	maxHops        = 50      // proxies that one X-Forwarded-For is believed to name
	maxListed      = 1000    // streams in one list of them
	maxListTopics  = 20      // of each of them

	sessionAge     = 12 * time.Hour
	streamTokenAge = 15 * time.Minute // at most
	ticketAge      = time.Minute
	clockSkew      = time.Minute            // how far nodes' clocks may be apart
	markTimeout    = 300 * time.Millisecond // of reading whether a session was ended

	maxWait     = 20 * time.Second // for which an answer may be held back
	apiTimeout  = 25 * time.Second // what one call of the node may take
	bulkTimeout = 2 * time.Minute  // and one that touches many jobs
)

// StreamLimits bound the streams of one node. Zero fields take the defaults.
type StreamLimits struct {
	Total        int // open at once; default 20,000
	PerPrincipal int // default 1,000; a stream token counts by its owner, or by itself
	PerIP        int // default 1,000; an IPv6 /64 counts as one address

	Heartbeat    time.Duration // longest silence; default 15 s
	MaxAge       time.Duration // a stream ends between 90 and 100 % of it; default 10 min
	Recheck      time.Duration // how often it is looked whether somebody logged out of the session that opened it; default 30 s
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
	orTime(&l.Recheck, 30*time.Second)
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
