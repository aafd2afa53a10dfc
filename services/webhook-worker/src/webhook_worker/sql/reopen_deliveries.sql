SELECT delivery.reopen_deliveries($1);
