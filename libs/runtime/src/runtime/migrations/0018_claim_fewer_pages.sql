-- What waits is found by its occasion, what was emitted by its event id. An index over every event id, hashes as they
-- are, cost each claim two pages of it at random: among millions, two full page images of WAL a row.
-- An older version beside this one finds what it claims without an index: slower, not wrong.
-- migrate:up
CREATE UNIQUE INDEX one_answer_awaited_an_event ON schedule.occurrences (event_id) WHERE status = 'PROCESSING';
ALTER TABLE schedule.occurrences DROP CONSTRAINT occurrences_pkey;

-- Not by its status too: an id among what is PROCESSING would be looked for in this index, all through, wherever
-- PostgreSQL had last counted when nothing was.
CREATE INDEX occurrences_by_check_at ON schedule.occurrences (check_at) WHERE check_at IS NOT NULL;
DROP INDEX schedule.occurrences_to_check;
