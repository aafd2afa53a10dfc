SELECT headers FROM delivery.lock_endpoint($1);
