-- Each webhook wrote into fifteen indexes; two of them served nobody (`deliveries_due` the release before 0017), or what
-- another can as well: by time first, the audit's key leads to a time too, and what is written together lies together.
-- Whoever writes waits for the new key meanwhile, about a second a million entries.
-- migrate:up
DROP INDEX delivery.deliveries_due;
ALTER TABLE audit.entries DROP CONSTRAINT entries_pkey, ADD PRIMARY KEY (at, id);
DROP INDEX audit.entries_by_time;
