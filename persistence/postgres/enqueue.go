package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Enqueue puts new jobs into the store as part of the caller's own transaction: they exist if and only if it commits. The
// nodes are told when it does, and take them into the inbox; one that hears nothing finds them when it next compares
// inbox and store.
//
// Make the jobs with job.New, from valid specs. The connection must reach the schema by its search_path; it may lead
// through a pooler. ErrInvalid if an id is in the store already or a value can't be kept: the transaction can then only be
// rolled back.
func Enqueue(ctx context.Context, tx pgx.Tx, jobs ...job.Job) error {
	policies := newPolicyCache()
	for chunk := range slices.Chunk(jobs, persistence.MaxBatch) {
		if err := enqueue(ctx, conn{tx.Conn(), true}, chunk, policies); err != nil {
			return fmt.Errorf("enqueue %d jobs in a transaction: %w", len(jobs), err)
		}
	}
	return nil
}

func enqueue(ctx context.Context, c conn, jobs []job.Job, policies *policyCache) error {
	writes := make([]persistence.Write, len(jobs))
	ids := make([]job.ID, len(jobs))
	for i, j := range jobs {
		writes[i] = persistence.Write{Job: j, History: []job.Transition{j.FirstTransition()}}
		ids[i] = j.ID
	}
	b, err := newBatch(writes)
	if err != nil {
		return err
	}
	var a arrays
	if err := b.rows.upsert(&a, policies); err != nil {
		return err
	}
	if err := c.rows(ctx, statements.upsert, a.params(), b.mark); err != nil {
		return mapped(err)
	}
	if i := slices.Index(b.written, false); i >= 0 {
		return fmt.Errorf("%w: job %s is there already", persistence.ErrInvalid, ids[i])
	}
	if err := c.rows(ctx, statements.notify, [][]byte{uuids(ids)}, func([][]byte) error { return nil }); err != nil {
		return mapped(err)
	}
	return nil
}
