TRUNCATE public.people;
