SELECT delivery.request_replay($1, $2, $3, $4, $5, $6);
