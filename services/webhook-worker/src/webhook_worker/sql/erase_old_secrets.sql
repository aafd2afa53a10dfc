SELECT delivery.erase_old_secrets();
