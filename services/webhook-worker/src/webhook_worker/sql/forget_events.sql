SELECT delivery.forget_events($1, $2);
