"""What a client may say of an endpoint, as JSON Schema: what parse_endpoint.py takes."""

from domain.webhook_types import WEBHOOK_TYPES

from user_api.endpoint_headers import MASK, MOST_HEADERS
from user_api.operations import Component, Schema
from user_api.parse_endpoint import DEFAULTS, PARSERS, REQUIRED, SET_BY_US
from user_api.parse_endpoint_fields import (
    MOST_CONCURRENCY,
    MOST_DESCRIPTION,
    MOST_RATE,
    MOST_TIMEOUT,
    MOST_URL,
    URL_PATTERN,
)
from user_api.parse_fields import LINE_PATTERN
from user_api.parse_headers import HEADER_NAME_PATTERN, HEADER_VALUE_PATTERN, MOST_HEADER_VALUE
from user_api.user_schemas import IGNORED

_HEADER = {"type": "string", "maxLength": MOST_HEADER_VALUE, "pattern": HEADER_VALUE_PATTERN}
_HEADERS: Schema = {
    "type": ["object", "null"],
    "description": "What each webhook carries beside its own headers, such as credentials. None that "
    "Carillon sets: `Webhook-…`, `Content-…`, `Proxy-…`, `Host`, `User-Agent`, `Idempotency-Key`, "
    "`Traceparent`, `Tracestate` and those of the connection. Values are never answered: "
    f"`{MASK}` stands for the value that is there, and may be sent back for it.",
    "maxProperties": MOST_HEADERS,
    "propertyNames": {"pattern": HEADER_NAME_PATTERN},
    "additionalProperties": _HEADER,
}


def _whole(description: str, most: int, default: object) -> Schema:
    return {
        "type": ["integer", "null"],
        "description": description,
        "minimum": 1,
        "maximum": most,
        "default": default,
    }


FIELDS: dict[str, Schema] = {
    "url": {
        "type": "string",
        "description": "Where webhooks are POSTed: http or https, no credentials, no fragment. Its host is a "
        "name (in Punycode) or an address as it is written usually.",
        "maxLength": MOST_URL,
        "pattern": URL_PATTERN,
    },
    "eventTypes": {
        "type": ["array", "null"],
        "description": "Which webhooks it gets: all unless given, those of later releases too.",
        "items": {"type": "string", "enum": list(WEBHOOK_TYPES)},
        "minItems": 1,
        "uniqueItems": True,
    },
    "description": {
        "type": ["string", "null"],
        "description": "What it is for. Outer spaces are cut.",
        "minLength": 1,
        "maxLength": MOST_DESCRIPTION,
        "pattern": LINE_PATTERN,
    },
    "headers": _HEADERS,
    "rateLimit": _whole(
        "Requests a second at most, from each worker; without limit unless given.", MOST_RATE, None
    ),
    "concurrency": _whole(
        "Requests under way at once at most, from each worker.", MOST_CONCURRENCY, DEFAULTS["concurrency"]
    ),
    "timeoutSeconds": _whole(
        "How long a request may take, answer included.", MOST_TIMEOUT, DEFAULTS["timeoutSeconds"]
    ),
    "enabled": {
        "type": ["boolean", "null"],
        "description": "While it is not, its deliveries wait.",
        "default": DEFAULTS["enabled"],
    },
}

NEW_ENDPOINT = Component(
    "NewEndpoint",
    {
        "type": "object",
        "description": "An endpoint to be made; `null` is the same as left out.",
        "properties": {field: FIELDS[field] for field in PARSERS},
        "required": sorted(REQUIRED),
        "additionalProperties": False,
    },
)
CHANGED_ENDPOINT = Component(
    "ChangedEndpoint",
    {
        **NEW_ENDPOINT.schema,
        "description": "An endpoint as it shall be: what is left out or `null` gets its default. What was "
        "read may be sent back whole; the `id`, if sent, is that of the address.",
        "properties": {**NEW_ENDPOINT.schema["properties"], **dict.fromkeys(sorted(SET_BY_US), IGNORED)},
    },
)
ENDPOINT_PATCH = Component(
    "EndpointPatch",
    {
        **CHANGED_ENDPOINT.schema,
        "description": "A JSON Merge Patch (RFC 7396): what is left out stays, `null` sets the default. "
        "`headers` are merged one by one, `null` takes one away.",
        "properties": {
            **CHANGED_ENDPOINT.schema["properties"],
            "headers": {**_HEADERS, "additionalProperties": {**_HEADER, "type": ["string", "null"]}},
        },
        "required": [],
    },
)
