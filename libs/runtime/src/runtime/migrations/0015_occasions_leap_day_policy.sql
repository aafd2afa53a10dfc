-- The leap-day policy that an occasion's first date was decided under. Null where its newest event tells none: nothing
-- of February 29, or told by an older version; then its user's holds.
-- migrate:up
ALTER TABLE schedule.occasions ADD COLUMN leap_day_policy text;
