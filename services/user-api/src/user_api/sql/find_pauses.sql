SELECT occasion_id, note, paused_at, paused_by
FROM schedule.api_pauses
WHERE occasion_id = ANY($1::uuid[]);
