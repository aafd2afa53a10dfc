SELECT delivery.request_redrive($1, $2, $3);
