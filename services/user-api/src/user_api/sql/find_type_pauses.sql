SELECT occasion_type, note, paused_at, paused_by
FROM schedule.api_pauses
WHERE occasion_type IS NOT NULL;
