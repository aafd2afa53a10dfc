INSERT INTO public.people (first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id;
