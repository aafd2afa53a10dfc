-- What an endpoint answered may hold a name.
UPDATE delivery.attempts AS attempt
SET response_headers = NULL, response_body = NULL
FROM delivery.events AS event
INNER JOIN delivery.deliveries AS delivery ON delivery.event_id = event.event_id
WHERE
    event.user_id = ANY($1::uuid[])
    AND attempt.delivery_id = delivery.id
    AND num_nonnulls(attempt.response_headers, attempt.response_body) > 0;
