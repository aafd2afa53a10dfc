-- One that was kept before, and whose deletion from its queue did not come through, is left alone. In order of id: who
-- keeps the same ones waits.
INSERT INTO delivery.dead_letters (
    id, queue, source, message_id, reason, event_type, subject, attributes, group_id, body
)
SELECT *
FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], $9::text[],
    $10::text[]
) AS letter (id, queue, source, message_id, reason, event_type, subject, attributes, group_id, body)
ORDER BY letter.id
ON CONFLICT DO NOTHING
RETURNING id, now() + $11::interval AS now;
