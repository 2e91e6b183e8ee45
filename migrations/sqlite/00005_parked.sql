-- Jobs of the inbox that wait for somebody who can take them: state 4, with the name under which they are parked in the column node.

-- +goose Up

CREATE INDEX inbox_parked ON inbox (queue, node, priority, id) WHERE state = 4;

-- +goose Down

UPDATE inbox_queues SET waiting = waiting + (SELECT count(*) FROM inbox WHERE inbox.queue = inbox_queues.n AND state = 4);
UPDATE inbox SET state = 1, node = '' WHERE state = 4;
DROP INDEX inbox_parked;
