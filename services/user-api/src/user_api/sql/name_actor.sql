SELECT set_config('carillon.actor', $1, true), set_config('carillon.trace', $2, true);
