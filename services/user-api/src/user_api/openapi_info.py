"""What the OpenAPI document says before its first operation."""

from user_api import __version__

INFO = {
    "title": "Carillon",
    "version": __version__,
    "summary": "Birthdays, anniversaries, reminders and notifications that ring on time.",
    "description": """\
Everything is JSON in UTF-8, names in camelCase; instants are RFC 3339 in UTC with `Z`, dates `YYYY-MM-DD`.

**Errors** are problem documents (RFC 9457) of media type `application/problem+json`. `type` names the error,
`errors` every field at fault, `requestId` the request in our log. New types may come: go by `status` where
you do not know one.

**Versions.** An answer's `ETag` is the version. A change names in `If-Match` the version that it changes: 428
without it, 412 when somebody else was faster.

**Repeating.** A POST with an `Idempotency-Key` may be repeated for a day: it is done once, answered the same.
`RateLimit` tells how much a client may still ask; 429 and 503 say in `Retry-After` when to try again.

**Lists** come in pages: `nextCursor`, which is null on the last, is the `cursor` of the next one.

**What may come:** new optional fields, new fields in answers, new operations. Ignore what you do not know.
""",
}
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Claims: `sub`, `iss`, `aud`, `exp`, and `roles`, a list of `admin`, `service` and "
    "`user`. A user reaches only what is their own: `sub` is their id.",
}
TAGS = [
    {"name": "users", "description": "Users and their birthdays."},
    {"name": "occasions", "description": "Anniversaries, reminders and notifications of a user."},
    {"name": "occurrences", "description": "When the occasions of a user ring, and have rung."},
    {"name": "event types", "description": "What falls due, and whether it may ring."},
    {"name": "endpoints", "description": "Where webhooks go, and what signs them."},
    {"name": "deliveries", "description": "What was sent where, how that ended, and sending it again."},
    {"name": "dead letters", "description": "Messages that nobody could handle, and sending them back."},
    {"name": "health", "description": "For load balancers and supervisors."},
]
