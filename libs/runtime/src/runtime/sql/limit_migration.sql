-- A migration that cannot get its lock gives up instead of queueing everybody behind it.
SELECT set_config('lock_timeout', '5s', true), set_config('statement_timeout', '5min', true);
