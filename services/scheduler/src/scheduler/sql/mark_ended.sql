-- What has no next date has no PENDING row to carry the date emitted last.
UPDATE schedule.occasions AS occasion
SET after_date = ended.nominal_date
FROM unnest($1::uuid[], $2::text[]) AS ended (occasion_id, nominal_date)
WHERE occasion.id = ended.occasion_id;
