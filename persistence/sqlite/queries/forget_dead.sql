-- Takes jobs off a queue's list of dead letters.
-- In: 1 queue number, 2 ids as a JSON array of hexadecimal text. Changes one row for each that was listed.
DELETE FROM inbox_dead
WHERE queue = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2));
