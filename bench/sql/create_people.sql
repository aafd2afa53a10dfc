-- The bare peer's table: users.users without what only Carillon needs.
CREATE TABLE public.people (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    version         integer     NOT NULL DEFAULT 1,
    first_name      text        NOT NULL,
    last_name       text        NOT NULL,
    date_of_birth   date        NOT NULL,
    timezone        text        NOT NULL,
    email           text,
    send_at_local   time        NOT NULL,
    leap_day_policy text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX people_by_email ON public.people (lower(email)) WHERE email IS NOT NULL;
GRANT SELECT, INSERT ON public.people TO carillon_user_api;
