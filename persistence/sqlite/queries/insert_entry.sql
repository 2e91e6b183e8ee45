-- Puts an entry into a queue of the inbox, unless the queue knows its id.
-- In: 1 queue number, 2 id, 3 state, 4 priority, 5 seq, 6 due, 7 life, 8 token, 9 crashes, 10 node, 11 envelope.
-- Changes one row, or none if the id is known.
INSERT INTO inbox (queue, id, state, priority, seq, due, life, token, crashes, cancel, node, envelope)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11)
ON CONFLICT (queue, id) DO NOTHING;
