-- Its body is bound to its names already (BEGIN ATOMIC); with a search path of its own each call is set up apart, which took
-- three of its seven microseconds.
-- migrate:up
ALTER FUNCTION delivery.new_id RESET search_path;
