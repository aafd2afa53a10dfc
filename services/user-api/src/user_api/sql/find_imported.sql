-- For each import line, who is known by its key and who by its e-mail address; and the instant of the batch.
-- LIMIT keeps each a look into its index: as a join, 5,000 lines are reason enough to read the whole table.
SELECT
    now() + $3::interval AS at,
    lower(given.email) AS email,
    by_key.id AS id_by_key,
    by_email.id AS id_by_email,
    by_email.import_key AS key_by_email
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given (key, email, place)
LEFT JOIN LATERAL (
    SELECT id FROM users.users WHERE import_key = given.key LIMIT 1
) AS by_key ON TRUE
LEFT JOIN LATERAL (
    SELECT id, import_key FROM users.users WHERE lower(email) = lower(given.email) LIMIT 1
) AS by_email ON TRUE
ORDER BY given.place;
