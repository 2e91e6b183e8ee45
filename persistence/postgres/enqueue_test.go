package postgres_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/postgres"
)

// An order and the job that renders its video are stored together: whoever sees the one will see the other.
func ExampleEnqueue() {
	placeOrder := func(ctx context.Context, db *pgxpool.Pool, order string, video job.Job) error {
		return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO orders (id, job) VALUES ($1, $2)", order, video.ID.String()); err != nil {
				return fmt.Errorf("insert order %s: %w", order, err)
			}
			return postgres.Enqueue(ctx, tx, video)
		})
	}
	_ = placeOrder
}
