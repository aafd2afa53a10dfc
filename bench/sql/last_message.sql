-- How many messages the outbox of a fresh database has been given so far: a number, whatever its size.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM outbox.messages_id_seq;
