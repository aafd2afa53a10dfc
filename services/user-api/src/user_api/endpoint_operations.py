"""What the routes about endpoints say of themselves in the OpenAPI document."""

from user_api.endpoint import EndpointAnswer, EndpointMadeAnswer
from user_api.endpoint_examples import ANSWER_EXAMPLE, ENDPOINT_ID, EXAMPLES, MADE_EXAMPLE, PATCH_EXAMPLES
from user_api.endpoint_schemas import CHANGED_ENDPOINT, ENDPOINT_PATCH, NEW_ENDPOINT
from user_api.known_problems import PROBLEMS
from user_api.operation_parts import (
    CURSOR,
    ETAG,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    INVALID_INPUT,
    LIMIT,
    MADE,
    OF_A_BODY,
    OF_A_KEY,
    OF_IF_MATCH,
    OTHER_ID,
    UNCHANGED,
    UUID_SCHEMA,
    page_of,
)
from user_api.operations import Answer, Body, Link, Operation, Parameter
from user_api.pages import Items
from user_api.refusals import UnknownEndpointError
from user_api.routes import PATCH_TYPES
from user_api.user_operations import NO_PATCH

TAG = "endpoints"
UNKNOWN_ENDPOINT = PROBLEMS[UnknownEndpointError]
ENDPOINT_ID_IN_PATH = Parameter(
    name="endpointId", place="path", description="The endpoint's id.", schema=UUID_SCHEMA, example=ENDPOINT_ID
)

ONE = "/endpoint/{endpointId}"
_THIS = {"endpointId": "$response.body#/id"}
_THIS_VERSION = {**_THIS, "If-Match": "$response.header.ETag"}
LINKS = (
    Link("readEndpoint", _THIS),
    Link("replaceEndpoint", _THIS_VERSION),
    Link("patchEndpoint", _THIS_VERSION),
    Link("deleteEndpoint", _THIS_VERSION),
    Link("rotateEndpointSecret", _THIS),
    Link("enableEndpoint", _THIS),
    Link("disableEndpoint", _THIS),
)


def _endpoint(description: str) -> Answer:
    return Answer(
        status=200,
        description=description,
        schema=EndpointAnswer,
        example=ANSWER_EXAMPLE,
        headers={"ETag": ETAG},
        links=LINKS,
    )


ENDPOINT_OPERATIONS = (
    Operation(
        id="createEndpoint",
        method="POST",
        path="/endpoint",
        tag=TAG,
        summary="Create an endpoint",
        description="Webhooks go there from then on, signed with the `secret` that is answered this once. "
        "Send an `Idempotency-Key`, so that a lost answer can be had again.",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(schema=NEW_ENDPOINT, examples=EXAMPLES),
        answers=(
            Answer(
                status=201,
                description="The endpoint, at version 1, and its secret.",
                schema=EndpointMadeAnswer,
                example=MADE_EXAMPLE,
                headers=MADE,
                links=LINKS,
            ),
        ),
        problems=(*OF_A_BODY, *OF_A_KEY),
    ),
    Operation(
        id="listEndpoints",
        method="GET",
        path="/endpoint",
        tag=TAG,
        summary="List endpoints",
        description="The oldest first.",
        parameters=(LIMIT, CURSOR),
        answers=(
            page_of(
                "endpoints",
                Items[EndpointAnswer],
                ANSWER_EXAMPLE,
                Link("readEndpoint", {"endpointId": "$response.body#/items/0/id"}),
            ),
        ),
        problems=(INVALID_INPUT,),
    ),
    Operation(
        id="readEndpoint",
        method="GET",
        path=ONE,
        tag=TAG,
        summary="Read an endpoint",
        description="Without its secret, its headers masked. With `If-None-Match`, only if it changed.",
        parameters=(ENDPOINT_ID_IN_PATH, IF_NONE_MATCH),
        answers=(
            _endpoint("The endpoint."),
            UNCHANGED,
        ),
        problems=(INVALID_INPUT, UNKNOWN_ENDPOINT),
    ),
    Operation(
        id="replaceEndpoint",
        method="PUT",
        path=ONE,
        tag=TAG,
        summary="Replace an endpoint",
        description="What is left out gets its default; the secret stays. A change of nothing keeps the "
        "version.",
        parameters=(ENDPOINT_ID_IN_PATH, IF_MATCH),
        body=Body(schema=CHANGED_ENDPOINT, examples=EXAMPLES),
        answers=(_endpoint("The endpoint as it is now."),),
        problems=(*OF_A_BODY, UNKNOWN_ENDPOINT, OTHER_ID, *OF_IF_MATCH),
    ),
    Operation(
        id="patchEndpoint",
        method="PATCH",
        path=ONE,
        tag=TAG,
        summary="Change some of an endpoint",
        description="By JSON Merge Patch (RFC 7396): what is left out stays as it is.",
        parameters=(ENDPOINT_ID_IN_PATH, IF_MATCH),
        body=Body(schema=ENDPOINT_PATCH, examples=PATCH_EXAMPLES, media_types=PATCH_TYPES),
        answers=(_endpoint("The endpoint as it is now."),),
        problems=(*OF_A_BODY, UNKNOWN_ENDPOINT, OTHER_ID, *OF_IF_MATCH, NO_PATCH),
    ),
    Operation(
        id="deleteEndpoint",
        method="DELETE",
        path=ONE,
        tag=TAG,
        summary="Remove an endpoint",
        description="Nothing goes there any more, and its secrets are forgotten; what waited is cancelled.",
        parameters=(ENDPOINT_ID_IN_PATH, IF_MATCH),
        answers=(Answer(status=204, description="The endpoint is gone."),),
        problems=(INVALID_INPUT, UNKNOWN_ENDPOINT, *OF_IF_MATCH),
    ),
)
