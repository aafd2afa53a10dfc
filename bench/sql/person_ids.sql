SELECT id FROM public.people ORDER BY random();
