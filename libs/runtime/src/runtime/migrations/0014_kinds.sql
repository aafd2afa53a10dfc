-- Which kinds of occasion there are is the code's to know, a module each: a new one needs no migration. What an
-- anniversary, a reminder and a notification consist of is still checked here.
-- migrate:up
ALTER TABLE users.occasions DROP CONSTRAINT occasions_type_check;
ALTER TABLE schedule.occasions DROP CONSTRAINT occasions_type_check;
ALTER TABLE schedule.occurrences DROP CONSTRAINT occurrences_occasion_type_check;
