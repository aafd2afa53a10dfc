-- A schema and a least-privilege role per service. Roles belong to the cluster, so they may exist already.
-- They have no password here: locally PostgreSQL trusts loopback, elsewhere the deployment sets one.
-- migrate:up
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'carillon_user_api', 'carillon_scheduler', 'carillon_dispatcher', 'carillon_webhook_worker'
    ] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- made for another database of this cluster
        END;
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET statement_timeout = %L', name, current_database(), '60s');
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET lock_timeout = %L', name, current_database(), '10s');
        EXECUTE format(
            'ALTER ROLE %I IN DATABASE %I SET idle_in_transaction_session_timeout = %L',
            name, current_database(), '60s'
        );
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO carillon_user_api, carillon_scheduler, carillon_dispatcher, carillon_webhook_worker;
-- Every service refuses to start on a database older than itself.
GRANT SELECT ON public.schema_migrations
TO carillon_user_api, carillon_scheduler, carillon_dispatcher, carillon_webhook_worker;

CREATE SCHEMA users;
CREATE SCHEMA schedule;
CREATE SCHEMA outbox;
CREATE SCHEMA delivery;
CREATE SCHEMA inbox;
GRANT USAGE ON SCHEMA users TO carillon_user_api;
GRANT USAGE ON SCHEMA schedule TO carillon_scheduler;
GRANT USAGE ON SCHEMA delivery TO carillon_webhook_worker;
GRANT USAGE ON SCHEMA outbox
TO carillon_user_api, carillon_scheduler, carillon_dispatcher, carillon_webhook_worker;
GRANT USAGE ON SCHEMA inbox TO carillon_user_api, carillon_scheduler, carillon_webhook_worker;
