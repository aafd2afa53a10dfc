-- Refill by the time since the last lease, up to the burst, then lease at most half of what is there, so that
-- what little is left is shared by the processes that ask. A statement that waited for another's lease began
-- before it: time never runs backwards.
INSERT INTO users.rate_limits AS bucket (client, tokens, granted, updated_at)
VALUES (
    $1::bytea, $4::integer - least($2::integer, ($4 + 1) / 2), least($2, ($4 + 1) / 2), statement_timestamp()
)
ON CONFLICT (client) DO UPDATE SET (tokens, granted, updated_at) = (
    SELECT
        refilled.tokens - lease.tokens,
        lease.tokens,
        greatest(bucket.updated_at, statement_timestamp())
    FROM
        (
            SELECT
                least(
                    $4,
                    bucket.tokens
                    + $3::double precision
                    * greatest(0, extract(EPOCH FROM statement_timestamp() - bucket.updated_at))
                ) AS tokens
        ) AS refilled,
        LATERAL (
            SELECT least($2, ceil(floor(refilled.tokens) / 2))::integer AS tokens
        ) AS lease
)
RETURNING granted, floor(tokens)::integer AS left;
