SELECT delivery.remove_endpoint($1);
