"""What several operations share: headers, parameters and problems."""

from collections.abc import Sequence

from user_api.idempotency_key import KEY_PATTERN
from user_api.known_problems import PROBLEMS, UNAVAILABLE, UNHANDLED
from user_api.operations import Answer, AnySchema, Header, Link, Parameter
from user_api.pages import CURSOR_PATTERN, DEFAULT_LIMIT, MOST_ITEMS
from user_api.problem import Problem
from user_api.problems import problem_of, unauthenticated
from user_api.refusals import (
    BodyTooLargeError,
    BodyTooSlowError,
    ClientGoneError,
    FieldProblem,
    ForbiddenError,
    IfMatchMissingError,
    InvalidInputError,
    KeyInUseError,
    KeyReusedError,
    OtherIdError,
    RateLimitedError,
    StaleVersionError,
    UnknownUserError,
)

# No pattern for entity tags: clients copy them, and generators of test data know no header with quotes in it.
TEXT = {"type": "string"}
UUID_SCHEMA = {
    "type": "string",
    "format": "uuid",
    "pattern": "^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
}
USER_ID = "0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f"

USER_ID_IN_PATH = Parameter(
    name="userId", place="path", description="The user's id.", schema=UUID_SCHEMA, example=USER_ID
)
OCCASION_ID = "0198c0de-8b2c-7d4e-9f50-6b7c8d9e0f1a"
OCCASION_ID_IN_PATH = Parameter(
    name="occasionId", place="path", description="The occasion's id.", schema=UUID_SCHEMA, example=OCCASION_ID
)
LIMIT = Parameter(
    name="limit",
    place="query",
    description=f"How many items at most; {DEFAULT_LIMIT} unless given.",
    schema={"type": "integer", "minimum": 1, "maximum": MOST_ITEMS},
    example=DEFAULT_LIMIT,
)
CURSOR = Parameter(
    name="cursor",
    place="query",
    description="Where to go on: the `nextCursor` of the page before, with the same other parameters.",
    schema={"type": "string", "pattern": CURSOR_PATTERN},
)
IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    place="header",
    description="A name of your own for this request. Repeated under it within 24 hours, the request is "
    "done once and answered the same.",
    schema={"type": "string", "pattern": KEY_PATTERN},
    example="9f1c2e34-order-1815",
)
REQUEST_ID = Parameter(
    name="X-Request-Id",
    place="header",
    description="An id of your own for this request, at most 128 of `A-Za-z0-9._:/+=-`: it is answered and "
    "logged. Without one, or with any other, Carillon makes one.",
    schema=TEXT,
    example="checkout-7/42",
)
IF_MATCH = Parameter(
    name="If-Match",
    place="header",
    description="The `ETag` of the version that is changed, so that no change of somebody else is lost. "
    "`*` changes whatever version there is.",
    schema=TEXT,
    example='"3"',
    required=True,
)
IF_NONE_MATCH = Parameter(
    name="If-None-Match",
    place="header",
    description="The `ETag` of the version that is known: only another one is answered in full.",
    schema=TEXT,
    example='"3"',
)

ETAG = Header(
    "The version, as `If-Match` and `If-None-Match` take it.", {"type": "string", "pattern": '^"[0-9]+"$'}
)
LOCATION = Header("The path of what was made.", {"type": "string", "format": "uri-reference"})
REQUEST_ID_ANSWERED = Header("The id by which this request is logged.", {"type": "string"})
LINK = Header("The first page, and the next one where there is one (RFC 8288).", TEXT)
REPLAYED = Header("`true` where an earlier answer is repeated under its Idempotency-Key.", TEXT, always=False)
CHALLENGE = Header("Which credentials are taken (RFC 6750).", TEXT)
ACCEPTED = Header("The media types that are taken.", TEXT)
RATE_LIMIT = Header("What is left to this client, and when all is again (`r` and `t`).", TEXT, always=False)
RATE_LIMIT_POLICY = Header("What this client may ask (`q`) in how many seconds (`w`).", TEXT, always=False)
RETRY_AFTER = Header("How many seconds to wait before the next try.", {"type": "integer", "minimum": 1})

# On every answer; and on those to callers, whose requests are counted.
ALWAYS = {REQUEST_ID.name: REQUEST_ID_ANSWERED}
COUNTED = {"RateLimit-Policy": RATE_LIMIT_POLICY, "RateLimit": RATE_LIMIT}

INVALID_INPUT = problem_of(
    InvalidInputError([FieldProblem("timezone", "is not an IANA time zone, such as Asia/Tokyo")])
)
UNKNOWN_USER = PROBLEMS[UnknownUserError]
IF_MATCH_MISSING = PROBLEMS[IfMatchMissingError]
STALE_VERSION = problem_of(StaleVersionError(4))
OTHER_ID = problem_of(OtherIdError(["id"]))

ANY_TIME = (UNHANDLED, UNAVAILABLE)
OF_A_CALLER = (
    unauthenticated(None),
    PROBLEMS[ForbiddenError],
    problem_of(RateLimitedError({"Retry-After": "1", "RateLimit-Policy": "", "RateLimit": ""})),
)
OF_A_BODY = (
    INVALID_INPUT,
    PROBLEMS[ClientGoneError],
    PROBLEMS[BodyTooLargeError],
    PROBLEMS[BodyTooSlowError],
)
OF_A_KEY = (PROBLEMS[KeyInUseError], PROBLEMS[KeyReusedError])
OF_IF_MATCH = (STALE_VERSION, IF_MATCH_MISSING)


MADE = {"ETag": ETAG, "Location": LOCATION, "Idempotent-Replayed": REPLAYED}
"""The headers of what was made by a POST."""

UNCHANGED = Answer(status=304, description="It is still at the version you know.", headers={"ETag": ETAG})


def page_of(what: str, schema: AnySchema, item: object, *links: Link) -> Answer:
    """Give the answer that is a page of a list, with an example item and where to go from the first."""
    return Answer(
        status=200,
        description=f"A page of {what}.",
        schema=schema,
        example={"items": [item], "nextCursor": None},
        headers={"Link": LINK},
        links=links,
    )


def problem_headers(problems: Sequence[Problem]) -> dict[str, Header]:
    """Give the headers of an answer that is one of `problems`, described."""
    known = {
        "ETag": ETAG,
        "Retry-After": RETRY_AFTER,
        "WWW-Authenticate": CHALLENGE,
        "Accept-Patch": ACCEPTED,
        "Accept-Post": ACCEPTED,
    }
    return {
        name: Header(
            header.description, header.schema, always=all(name in problem.headers for problem in problems)
        )
        for name, header in known.items()
        if any(name in problem.headers for problem in problems)
    }
