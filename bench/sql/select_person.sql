SELECT
    id, version, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, created_at,
    updated_at
FROM public.people
WHERE id = $1;
