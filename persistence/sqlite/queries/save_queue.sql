-- Writes the counters of one queue of the inbox as they are at the end of a transaction.
-- In: 1 number, 2 name, 3 waiting, 4 delayed, 5 leased, 6 dead, 7 front, 8 back.
-- Atomicity: in the transaction whose changes it counts.
INSERT INTO inbox_queues (n, name, waiting, delayed, leased, dead, front, back)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (n) DO UPDATE SET
    waiting = excluded.waiting, delayed = excluded.delayed, leased = excluded.leased, dead = excluded.dead,
    front = excluded.front, back = excluded.back;
