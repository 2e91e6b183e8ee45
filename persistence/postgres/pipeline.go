package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// pipeline is a transaction whose statements are sent without waiting for each other. It commits with sync, and is
// rolled back if it is closed before.
type pipeline struct {
	conn     conn
	pipe     *pgconn.Pipeline
	prepared map[string]*pgconn.StatementDescription
	waiting  []func(row [][]byte) error // who takes the rows of the statements sent, in order
	begun    bool                       // it will be flushed before it commits
	synced   bool
}

// pipeline begins one. The statements that it may send are prepared beforehand, once a session.
func (c conn) pipeline(ctx context.Context, used ...statement) (*pipeline, error) {
	p := &pipeline{conn: c}
	if !c.pooler {
		p.prepared = make(map[string]*pgconn.StatementDescription, len(used))
		for _, st := range used {
			description, err := c.Prepare(ctx, st.name, st.sql)
			if err != nil {
				return nil, err
			}
			p.prepared[st.name] = description
		}
	}
	p.pipe = c.PgConn().StartPipeline(ctx)
	return p, nil
}

// send queues a statement; each takes its rows when flush or sync reads them.
func (p *pipeline) send(st statement, params [][]byte, each func(row [][]byte) error) {
	if p.conn.pooler {
		p.pipe.SendQueryParams(st.sql, params, nil, inBinary, inBinary)
	} else {
		p.pipe.SendQueryStatement(p.prepared[st.name], params, inBinary, inBinary)
	}
	p.waiting = append(p.waiting, each)
}

// begin makes a transaction of it that the server knows as one. Without it the transaction is what lies between two syncs, and a
// process that is stopped after a flush would hold its locks for as long: the server, which waits for the rest of the
// sync, does not count it as idle, and no timeout of the session ends it. Call it before the first statement is sent.
func (p *pipeline) begin() {
	if !p.begun {
		p.begun = true
		p.command("BEGIN")
	}
}

func (p *pipeline) command(sql string) {
	p.pipe.SendQueryParams(sql, nil, nil, nil, nil)
	p.waiting = append(p.waiting, func([][]byte) error { return nil })
}

// flush waits for the answers to all that was sent; the transaction, which must have been begun, goes on.
func (p *pipeline) flush() error { return p.await() }

// sync commits and waits for all answers, the commit's included.
func (p *pipeline) sync() error {
	p.synced = true
	if p.begun {
		p.command("COMMIT")
	}
	return p.await()
}

// await waits for the answers to all that was sent.
func (p *pipeline) await() error {
	if err := p.pipe.Sync(); err != nil {
		return err
	}
	if err := p.answers(); err != nil {
		return err
	}
	result, err := p.pipe.GetResults()
	if err != nil {
		return err
	}
	if _, ok := result.(*pgconn.PipelineSync); !ok {
		return errors.New("the server did not confirm that it has answered all")
	}
	return nil
}

func (p *pipeline) answers() error {
	for ; len(p.waiting) > 0; p.waiting = p.waiting[1:] {
		result, err := p.pipe.GetResults()
		if err != nil {
			return err
		}
		rr, ok := result.(*pgconn.ResultReader)
		if !ok {
			return errors.New("the server did not answer a statement")
		}
		if err := drain(rr, p.waiting[0]); err != nil {
			return err
		}
	}
	return nil
}

// close ends the pipeline after the given error, or none. What has not been committed is rolled back: a connection that is left within
// a transaction is not used again but cut, and so is one of which an answer is outstanding.
func (p *pipeline) close() { _ = p.pipe.Close() }
