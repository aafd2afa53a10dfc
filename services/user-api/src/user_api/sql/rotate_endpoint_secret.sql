SELECT delivery.rotate_endpoint_secret($1, $2, $3);
