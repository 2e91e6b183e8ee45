-- Writes where a job stands. The caller has seen in the same transaction that the fence admits it. A new life starts
-- without the word that was left for the one before.
-- In: the columns in the order named here but for cancel_by, then 19 the row.
UPDATE jobs
SET life = ?1, status = ?2, token = ?3, rev = ?4, node = ?5, attempt = ?6, attempts = ?7, crashes = ?8, run_at = ?9, started_at = ?10,
    updated_at = ?11, finished_at = ?12, fingerprint = ?13, progress = ?14, failure = ?15, artifacts = ?16, checkpoint = ?17, result = ?18,
    cancel_by = iif(life = ?1, cancel_by, NULL)
WHERE rowid = ?19;
