DELETE FROM outbox.messages WHERE id = ANY($2::bigint[]) AND lease_token = $1;
