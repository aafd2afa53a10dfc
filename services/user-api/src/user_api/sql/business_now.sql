SELECT now() + $1::interval;
