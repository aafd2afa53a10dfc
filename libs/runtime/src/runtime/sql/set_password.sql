SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text);
