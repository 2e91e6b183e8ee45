package main

import (
	"math"
	"slices"
	"time"
)

// troupe is the name under which everybody else is compared.
const troupe = "troupe"

// result is one drain. Processor time is in microseconds a job, 0 where it can't be read (a server on another machine).
type result struct {
	System        string  `json:"system"`
	JobsPerSecond float64 `json:"jobs_per_second"`
	LoadPerSecond float64 `json:"enqueue_per_second"`
	ClientCPU     float64 `json:"cpu_us_client"`
	RedisCPU      float64 `json:"cpu_us_redis"`
	PostgresCPU   float64 `json:"cpu_us_postgres"`
	Others        float64 `json:"cpu_us_others,omitempty"` // of Troupe's bench: everybody else on the machine
}

// round is every system once, in the same minute.
type round struct {
	Round   int                `json:"round"`
	Load    string             `json:"load_before"` // average of the last minute
	Results []result           `json:"results"`
	Ratios  map[string]float64 `json:"troupe_to,omitempty"` // jobs/s of Troupe to those of each peer
}

func (r *round) compare() {
	at := slices.IndexFunc(r.Results, func(x result) bool { return x.System == troupe })
	if at < 0 {
		return
	}
	r.Ratios = map[string]float64{}
	for _, x := range r.Results {
		if x.System != troupe {
			r.Ratios[x.System] = rounded(r.Results[at].JobsPerSecond / x.JobsPerSecond)
		}
	}
}

// summary is the medians over all rounds.
type summary struct {
	Median map[string]float64 `json:"median_jobs_per_second"`
	Ratios map[string]float64 `json:"median_troupe_to,omitempty"`
}

func summarize(all []round) summary {
	rates, ratios := map[string][]float64{}, map[string][]float64{}
	for _, r := range all {
		for _, x := range r.Results {
			rates[x.System] = append(rates[x.System], x.JobsPerSecond)
		}
		for name, ratio := range r.Ratios {
			ratios[name] = append(ratios[name], ratio)
		}
	}
	return summary{medians(rates), medians(ratios)}
}

func medians(of map[string][]float64) map[string]float64 {
	result := make(map[string]float64, len(of))
	for name, values := range of {
		slices.Sort(values)
		result[name] = values[len(values)/2]
	}
	return result
}

// measured makes a result of what a drain took.
func measured(n int, loading, drained time.Duration, spent usage) result {
	jobs := float64(n)
	each := func(seconds float64) float64 { return rounded(seconds / jobs * 1e6) }
	return result{
		JobsPerSecond: math.Round(jobs / drained.Seconds()), LoadPerSecond: math.Round(jobs / loading.Seconds()),
		ClientCPU: each(spent.client), RedisCPU: each(spent.redis), PostgresCPU: each(spent.postgres),
	}
}

func rounded(x float64) float64 { return math.Round(x*100) / 100 }
