SELECT delivery.create_endpoint($1, $3, $4, $5, $6, $7, $2, $8, $9, $10, $11);
