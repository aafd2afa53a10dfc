-- Two ids a webhook, a delivery's and its entry's, each took 1 to 3 us for random bytes of the system's. An id is no secret:
-- random() is enough, which each session seeds from there.
-- migrate:up
CREATE OR REPLACE FUNCTION delivery.new_id() RETURNS uuid
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT encode(
        -- Milliseconds (48 bits), version 7, 12 bits; variant 2, 62 bits.
        int8send(
            (floor(extract(EPOCH FROM clock_timestamp()) * 1000)::bigint << 16)
            | (7 << 12)
            | floor(random() * (1 << 12))::bigint
        )
        || int8send(
            (2::bigint << 62)
            | (floor(random() * (1 << 30))::bigint << 32)
            | floor(random() * (1::bigint << 32))::bigint
        ),
        'hex'
    )::uuid;
END;

CREATE OR REPLACE FUNCTION audit.record_deliveries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text := audit.actor(current_setting('carillon.actor', true));
BEGIN
    -- A lease changes no status, and is no entry.
    INSERT INTO audit.entries (id, at, what, who, about, about_id, user_id, trace_id)
    SELECT
        delivery.new_id(), now(),
        CASE WHEN after.status = 'pending' THEN 'DeliveryReopened' ELSE 'Delivery' || initcap(after.status) END,
        actor, 'delivery', after.id, event.user_id, split_part(event.traceparent, '-', 2)
    FROM new_rows AS after
    INNER JOIN old_rows AS before
        ON before.id = after.id AND before.created_at = after.created_at AND before.status <> after.status
    LEFT JOIN delivery.events AS event ON event.event_id = after.event_id;
    RETURN NULL;
END
$$;
