-- When each of the occurrences due from $1 on is due, by the id under which its webhook arrives.
SELECT event_id::text AS event_id, extract(EPOCH FROM due_at)::double precision AS due_at
FROM schedule.history
WHERE due_at >= $1;
