package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
)

// drainTroupe runs one round of `troupe bench drain`.
func (c *cli) drainTroupe(ctx context.Context) (result, error) {
	command := exec.CommandContext(ctx, c.Troupe, "bench", "drain", "--rounds", "1", "--json",
		"--jobs", strconv.Itoa(c.Jobs), "--payload", strconv.Itoa(c.Payload), "--redis-url", c.RedisURL, "--database-url", c.DatabaseURL)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return result{}, fmt.Errorf("run %s: %w", c.Troupe, err)
	}
	var rows []struct {
		Name   string
		Median float64
	}
	if err := json.Unmarshal(out, &rows); err != nil {
		return result{}, fmt.Errorf("read what %s printed: %w", c.Troupe, err)
	}
	figure := map[string]float64{}
	for _, r := range rows {
		figure[r.Name] = r.Median
	}
	return result{
		JobsPerSecond: math.Round(figure["jobs/s"]), LoadPerSecond: math.Round(figure["enqueue jobs/s"]),
		ClientCPU: rounded(figure["CPU us/job, self"]), RedisCPU: rounded(figure["CPU us/job, redis"]),
		PostgresCPU: rounded(figure["CPU us/job, postgres"]), Others: rounded(figure["CPU us/job, others"]),
	}, nil
}
