-- What has no envelope is searched for the user's id. A UserDeleted names nobody, and somebody still has to hear it.
UPDATE delivery.dead_letters AS dead
SET body = '', attributes = '{}', status = 'erased', lease_until = NULL, redriven_at = NULL
WHERE
    dead.status <> 'erased'
    AND dead.event_type IS DISTINCT FROM 'UserDeleted'
    AND (
        dead.subject = ANY($1::uuid[])
        OR (
            dead.subject IS NULL
            AND EXISTS (SELECT FROM unnest($1::uuid[]) AS one (id) WHERE position(one.id::text IN lower(dead.body)) > 0)
        )
    );
