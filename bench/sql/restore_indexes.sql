DO $$
DECLARE
    index record;
BEGIN
    FOR index IN SELECT * FROM public.dropped_indexes LOOP
        EXECUTE index.definition;
    END LOOP;
    DROP TABLE public.dropped_indexes;
END;
$$;
