-- Purpose: leave word on the row of a job that has not ended that somebody wants it stopped. It is outside the fence: it
-- moves neither rev nor status, so that the holder's next write is admitted and keeps the word.
-- Inputs: $1 id, $2 who asks, why and when, as persistence.CancelText writes it. Of several the first stands.
-- Output: none; read the row afterwards.
-- Atomicity: one statement.
UPDATE jobs SET cancel_by = $2::text WHERE id = $1::uuid AND finished_at IS NULL AND cancel_by = ''
