SELECT now() + $1::interval AS now;
