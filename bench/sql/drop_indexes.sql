-- Keep the definitions of a table's indexes, but of its primary key, and drop them: filling it takes a third then.
DO $$
DECLARE
    index record;
BEGIN
    CREATE TABLE public.dropped_indexes AS
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index
    WHERE indrelid = 'schedule.occurrences'::regclass AND NOT indisprimary;
    FOR index IN SELECT * FROM public.dropped_indexes LOOP
        EXECUTE format('DROP INDEX %s', index.name);
    END LOOP;
END;
$$;
