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

// flush waits for the answers to all that was sent; the transaction goes on.
func (p *pipeline) flush() error {
	p.pipe.SendFlushRequest()
	if err := p.pipe.Flush(); err != nil {
		return err
	}
	return p.answers()
}

// sync commits and waits for all answers, the commit's included.
func (p *pipeline) sync() error {
	p.synced = true
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
		return errors.New("the server did not confirm the commit")
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

// close ends the pipeline after the given error, or none. What has not been committed is rolled back: by the server, if
// the error is its own; by cutting the connection otherwise, because a sync would commit what went well.
func (p *pipeline) close(err error) {
	if _, fromServer := errors.AsType[*pgconn.PgError](err); fromServer && !p.synced {
		_ = p.pipe.Sync() // lets the server leave the state of error; if that fails, Close cuts
	}
	_ = p.pipe.Close()
}
