"""What the routes about deliveries say of themselves in the OpenAPI document."""

from user_api.delivery import STATUSES, DeliveryAnswer, DeliveryWithAttempts
from user_api.delivery_examples import (
    DELIVERY_ID,
    FAILED_EXAMPLE,
    REPLAY_EXAMPLE,
    REPLAY_ID,
    RETRIED_EXAMPLE,
    WITH_ATTEMPTS_EXAMPLE,
)
from user_api.endpoint_examples import ENDPOINT_ID
from user_api.known_problems import PROBLEMS
from user_api.operation_parts import (
    CURSOR,
    IDEMPOTENCY_KEY,
    INVALID_INPUT,
    LIMIT,
    LOCATION,
    OF_A_BODY,
    OF_A_KEY,
    REPLAYED,
    USER_ID,
    UUID_SCHEMA,
    page_of,
)
from user_api.operations import Answer, Body, Component, Link, Operation, Parameter, Schema
from user_api.pages import Items
from user_api.parse_occasion_fields import INSTANT_PATTERN
from user_api.parse_replay import STATUSES as REPLAYED_STATUSES
from user_api.refusals import NothingToSendError, UnknownDeliveryError, UnknownReplayError
from user_api.replay import ReplayAnswer

TAG = "deliveries"
FOR_WHOM = "For admins and services."
DELIVERY_ID_IN_PATH = Parameter(
    name="deliveryId", place="path", description="The delivery's id.", schema=UUID_SCHEMA, example=DELIVERY_ID
)
INSTANT: Schema = {"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}
FILTERS = (
    Parameter(
        name="endpointId",
        place="query",
        description="Only those to this endpoint.",
        schema=UUID_SCHEMA,
        example=ENDPOINT_ID,
    ),
    Parameter(
        name="status",
        place="query",
        description="Only those that stand so.",
        schema={"type": "string", "enum": list(STATUSES)},
        example="failed",
    ),
    Parameter(
        name="since", place="query", description="Only those made at this instant or later.", schema=INSTANT
    ),
    Parameter(
        name="until",
        place="query",
        description="Only those made before it.",
        schema=INSTANT,
        example="2026-06-20T12:00:00Z",
    ),
    Parameter(
        name="userId",
        place="query",
        description="Only those that tell of this user.",
        schema=UUID_SCHEMA,
        example=USER_ID,
    ),
)
NEW_REPLAY = Component(
    "NewReplay",
    {
        "type": "object",
        "description": "What is to be sent again.",
        "properties": {
            "endpointId": {**UUID_SCHEMA, "description": "Of this endpoint."},
            "since": {**INSTANT, "description": "Made at this instant or later."},
            "until": {
                **INSTANT,
                "type": ["string", "null"],
                "description": "Made before it, which is after `since`; before now unless given.",
            },
            "status": {
                "type": "string",
                "enum": list(REPLAYED_STATUSES),
                "description": "Ended so; `any` is failed, missed and delivered.",
            },
        },
        "required": ["endpointId", "since", "status"],
        "additionalProperties": False,
    },
)
READ_IT = Link("readDelivery", {"deliveryId": "$response.body#/id"})
_AGAIN = (
    "The `webhook-id` and the body stay the same, the retry schedule begins anew, and the outcome of its "
)
_AGAIN += "occurrence stays as it was told."

DELIVERY_OPERATIONS = (
    Operation(
        id="listDeliveries",
        method="GET",
        path="/delivery",
        tag=TAG,
        summary="List deliveries",
        description=f"The newest first, without their attempts. They are kept for some months. {FOR_WHOM}",
        parameters=(*FILTERS, LIMIT, CURSOR),
        answers=(
            page_of(
                "deliveries",
                Items[DeliveryAnswer],
                FAILED_EXAMPLE,
                Link("readDelivery", {"deliveryId": "$response.body#/items/0/id"}),
            ),
        ),
        problems=(INVALID_INPUT,),
    ),
    Operation(
        id="readDelivery",
        method="GET",
        path="/delivery/{deliveryId}",
        tag=TAG,
        summary="Read a delivery with its attempts",
        description=f"All attempts, the first one first. {FOR_WHOM}",
        parameters=(DELIVERY_ID_IN_PATH,),
        answers=(
            Answer(
                status=200,
                description="The delivery and its attempts.",
                schema=DeliveryWithAttempts,
                example=WITH_ATTEMPTS_EXAMPLE,
            ),
        ),
        problems=(INVALID_INPUT, PROBLEMS[UnknownDeliveryError]),
    ),
    Operation(
        id="retryDelivery",
        method="POST",
        path="/delivery/{deliveryId}/retry",
        tag=TAG,
        summary="Send a delivery again",
        description="One that ended is pending again, one that is pending is tried at once, and one that is "
        f"under way stays so. {_AGAIN} {FOR_WHOM}",
        parameters=(DELIVERY_ID_IN_PATH, IDEMPOTENCY_KEY),
        answers=(
            Answer(
                status=202,
                description="The delivery, pending. While its endpoint is disabled it waits.",
                schema=DeliveryAnswer,
                example=RETRIED_EXAMPLE,
                headers={"Idempotent-Replayed": REPLAYED},
                links=(READ_IT,),
            ),
        ),
        problems=(
            *OF_A_BODY,
            PROBLEMS[UnknownDeliveryError],
            PROBLEMS[NothingToSendError],
            *OF_A_KEY,
        ),
    ),
    Operation(
        id="replayDeliveries",
        method="POST",
        path="/delivery/retry",
        tag=TAG,
        summary="Send again what an endpoint has missed",
        description="All of its deliveries that were made within a time and ended so, some a second. Asked "
        "for twice, each is sent once: what is pending again is no longer `failed`. "
        f"{_AGAIN} {FOR_WHOM}",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(
            schema=NEW_REPLAY,
            examples={
                "what failed": {
                    "endpointId": ENDPOINT_ID,
                    "since": "2026-06-20T09:00:00Z",
                    "status": "failed",
                },
                "a morning": {
                    "endpointId": ENDPOINT_ID,
                    "since": "2026-06-20T06:00:00Z",
                    "until": "2026-06-20T12:00:00Z",
                    "status": "any",
                },
            },
        ),
        answers=(
            Answer(
                status=202,
                description="The replay; `Location` tells how far it has come.",
                schema=ReplayAnswer,
                example=REPLAY_EXAMPLE | {"reopened": 0},
                headers={"Location": LOCATION, "Idempotent-Replayed": REPLAYED},
                links=(Link("readReplay", {"replayId": "$response.body#/id"}),),
            ),
        ),
        problems=(*OF_A_BODY, *OF_A_KEY),
    ),
    Operation(
        id="readReplay",
        method="GET",
        path="/replay/{replayId}",
        tag=TAG,
        summary="Tell how far a replay has come",
        description="How many deliveries it has opened again; `listDeliveries` tells how they end. "
        f"{FOR_WHOM}",
        parameters=(
            Parameter(
                name="replayId",
                place="path",
                description="The replay's id.",
                schema=UUID_SCHEMA,
                example=REPLAY_ID,
            ),
        ),
        answers=(
            Answer(
                status=200,
                description="The replay as it stands.",
                schema=ReplayAnswer,
                example=REPLAY_EXAMPLE,
            ),
        ),
        problems=(INVALID_INPUT, PROBLEMS[UnknownReplayError]),
    ),
)
