-- Before the first migration there is no role yet; the migration takes one that is there.
SELECT format(
    CASE
        WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1) THEN 'ALTER ROLE %I PASSWORD %L'
        ELSE 'CREATE ROLE %I LOGIN PASSWORD %L'
    END,
    $1::text, $2::text
);
