SELECT delivery.request_endpoint_test($1, $2);
