-- When the dead letter that was made first became one.
-- In: 1 queue number.
-- Out: one row, the time; none if there is no dead letter. Cost: one step into the primary key.
SELECT at FROM inbox_dead WHERE queue = ?1 ORDER BY id LIMIT 1;
