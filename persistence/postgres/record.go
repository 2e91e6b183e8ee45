package postgres

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// decodeRecord reads a row of get.sql, live.sql or a listing, which ends before the payload
// or with it and whether it was left out.
func (s *Store) decodeRecord(row [][]byte) (persistence.Record, error) {
	j := job.Job{
		ID: job.ID(row[0]), Created: timestamp(row[1]), Kind: string(row[2]), Queue: string(row[3]), Owner: string(row[4]),
		Group: string(row[5]), Batch: string(row[6]), Priority: int2(row[8]),
		Life: int4(row[10]), Status: job.Status(int2(row[11])), Token: int8(row[12]), Rev: int8(row[13]), Node: string(row[14]),
		Attempt: int4(row[15]), Attempts: int4(row[16]), Crashes: int4(row[17]),
		RunAt: timestamp(row[20]), Started: timestamp(row[21]), Updated: timestamp(row[22]), Finished: timestamp(row[23]),
	}
	var err error
	if j.Policy, err = s.policies.decode(row[9]); err != nil {
		return persistence.Record{}, fmt.Errorf("job %s: %w", j.ID, err)
	}
	for _, field := range []struct {
		column int
		into   any
	}{{7, &j.Tags}, {19, &j.Progress}, {24, &j.Failure}, {25, &j.Artifacts}} {
		if doc := row[field.column]; doc != nil {
			if err := json.Unmarshal(doc, field.into); err != nil {
				return persistence.Record{}, fmt.Errorf("job %s: decode column %d: %w", j.ID, field.column, err)
			}
		}
	}
	j.Progress.Percent = float8(row[18])
	if len(row) > 27 {
		j.Payload = slices.Clone(row[27])
	}
	if len(row) > 29 {
		j.Result, j.Checkpoint = slices.Clone(row[28]), slices.Clone(row[29])
	}
	if word := row[26]; len(word) > 0 {
		j.Cancel = job.ParseCancel(string(word))
	}
	return persistence.Record{Job: j}, nil
}
