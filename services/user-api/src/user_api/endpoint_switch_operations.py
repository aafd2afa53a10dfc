"""What the routes that switch an endpoint or its secret say of themselves in the OpenAPI document."""

from user_api.endpoint import EndpointAnswer, RotatedSecretAnswer
from user_api.endpoint_examples import ANSWER_EXAMPLE, ROTATED_EXAMPLE
from user_api.endpoint_operations import ENDPOINT_ID_IN_PATH, LINKS, ONE, TAG, UNKNOWN_ENDPOINT
from user_api.known_problems import PROBLEMS
from user_api.operation_parts import ETAG, IDEMPOTENCY_KEY, OF_A_BODY, OF_A_KEY, REPLAYED
from user_api.operations import Answer, Operation
from user_api.refusals import TestNotMadeError
from user_api.try_endpoint import EndpointTestAnswer

_HEADERS = {"ETag": ETAG, "Idempotent-Replayed": REPLAYED}
# A body that was sent all the same is read for its Idempotency-Key.
_PROBLEMS = (*OF_A_BODY, UNKNOWN_ENDPOINT, *OF_A_KEY)


def _switched(description: str) -> Answer:
    return Answer(
        status=200,
        description=description,
        schema=EndpointAnswer,
        example=ANSWER_EXAMPLE,
        headers=_HEADERS,
        links=LINKS,
    )


ENDPOINT_SWITCH_OPERATIONS = (
    Operation(
        id="rotateEndpointSecret",
        method="POST",
        path=f"{ONE}/rotate-secret",
        tag=TAG,
        summary="Rotate an endpoint's secret",
        description="Webhooks are signed with both secrets for 24 hours. Send an `Idempotency-Key`: a second "
        "rotation within that time ends the overlap of the first one.",
        parameters=(ENDPOINT_ID_IN_PATH, IDEMPOTENCY_KEY),
        answers=(
            Answer(
                status=200,
                description="The new secret, answered this once.",
                schema=RotatedSecretAnswer,
                example=ROTATED_EXAMPLE,
                headers=_HEADERS,
            ),
        ),
        problems=_PROBLEMS,
    ),
    Operation(
        id="enableEndpoint",
        method="POST",
        path=f"{ONE}/enable",
        tag=TAG,
        summary="Enable an endpoint",
        description="What waited goes out. One that is enabled stays as it is.",
        parameters=(ENDPOINT_ID_IN_PATH, IDEMPOTENCY_KEY),
        answers=(_switched("The endpoint, enabled."),),
        problems=_PROBLEMS,
    ),
    Operation(
        id="disableEndpoint",
        method="POST",
        path=f"{ONE}/disable",
        tag=TAG,
        summary="Disable an endpoint",
        description="Its deliveries wait until it is enabled. One that is disabled stays as it is.",
        parameters=(ENDPOINT_ID_IN_PATH, IDEMPOTENCY_KEY),
        answers=(_switched("The endpoint, disabled."),),
        problems=_PROBLEMS,
    ),
    Operation(
        id="testEndpoint",
        method="POST",
        path=f"{ONE}/test",
        tag=TAG,
        summary="Test an endpoint",
        description="Sends a real, signed `endpoint.test` there, once, by the way that every webhook takes, "
        "and waits for what comes back, at most 20 s. A disabled endpoint can be tested too.",
        parameters=(ENDPOINT_ID_IN_PATH, IDEMPOTENCY_KEY),
        answers=(
            Answer(
                status=200,
                description="What came back, or why nothing did.",
                schema=EndpointTestAnswer,
                example={"status": 204, "latencyMs": 41.7, "body": None, "error": None},
                headers={"Idempotent-Replayed": REPLAYED},
            ),
        ),
        problems=(*_PROBLEMS, PROBLEMS[TestNotMadeError]),
    ),
)
