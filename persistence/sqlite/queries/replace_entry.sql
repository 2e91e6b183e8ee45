-- Makes an entry that of a later life: as if it had come new, but for the token, which never falls.
-- In: 1 row, 2 state, 3 priority, 4 seq, 5 due, 6 life, 7 token, 8 crashes, 9 envelope.
UPDATE inbox
SET state = ?2, priority = ?3, seq = ?4, due = ?5, life = ?6, token = max(token, ?7), crashes = ?8, cancel = 0, node = '', envelope = ?9
WHERE n = ?1;
