-- Purpose: the condition that a payload has a text, number or boolean at a path.
-- Inputs: in place of %[1]s the steps of the path, each an arrow and a parameter; in place of %[2]s the parameter of the value.
-- Output: true or false, never an error. A payload without a backslash says the value as it is, or doesn't have it: most are passed
-- over without being parsed. Of one with the escapes that JSON allows and text can't hold (NUL, halves of surrogate pairs, which would
-- make the statement fail) these become U+FFFD; whole pairs are laid aside meanwhile, marked by a character that JSON can't contain.
-- Atomicity: part of a statement.
CASE WHEN payload IS NULL OR position(%[2]s::text IN payload::text) = 0 AND position('\' IN payload::text) = 0 THEN false
ELSE EXISTS (
    SELECT FROM (SELECT (CASE WHEN payload::text !~ '\\u(0000|[dD][89a-fA-F])' THEN payload
        ELSE replace(regexp_replace(
            regexp_replace(payload::text, '(?<!\\)((?:\\\\)*)\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)', '\1' || chr(1) || '\2' || chr(1) || '\3', 'g'),
            '(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F]..)', '\1' || U&'\FFFD', 'g'), chr(1), '\u')::json
        END)%[1]s AS leaf OFFSET 0) AS found
    WHERE json_typeof(leaf) IN ('string', 'number', 'boolean') AND leaf #>> '{}' = %[2]s::text
) END
