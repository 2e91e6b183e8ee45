-- Purpose: give out the next incarnation of a node.
-- Inputs: none.
-- Output: one row: the number.
-- Atomicity: one statement, outside every transaction: a number that was given out is never given out again.
SELECT nextval('node_incarnations')
