SELECT delivery.retry_delivery($1);
