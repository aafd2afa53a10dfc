SELECT delivery.create_endpoint($1, $2, NULL, NULL, NULL, '{}', $3, NULL, 10, 30, true);
