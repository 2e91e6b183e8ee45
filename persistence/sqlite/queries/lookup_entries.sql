-- Finds what the inbox has of some jobs.
-- In: 1 queue number, 2 ids as a JSON array of hexadecimal text.
-- Out: one row a known id: its index in the array, then the entry without its envelope.
SELECT ids.key, i.n, i.state, i.life, i.token, i.crashes, i.cancel, i.node
FROM json_each(?2) AS ids
CROSS JOIN inbox AS i ON i.queue = ?1 AND i.id = unhex(ids.value);
