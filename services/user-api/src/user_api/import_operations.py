"""What the route of the import says of itself in the OpenAPI document."""

from user_api.answer_import import MEDIA_TYPE
from user_api.import_routes import RESULTS
from user_api.known_problems import PROBLEMS
from user_api.operation_parts import INVALID_INPUT
from user_api.operations import Answer, Body, Operation, Parameter
from user_api.problems import problem_of
from user_api.refusals import ClientGoneError, MediaTypeError, TooSlowError
from user_api.user_operations import TAG

_LINES = {"description": "NDJSON: a JSON object a line."}
_USER_LINE = (
    '{"key": "crm-1", "firstName": "Ada", "lastName": "Lovelace", "dateOfBirth": "1815-12-10", '
    '"timezone": "Europe/London"}\n'
)

IMPORT_OPERATIONS = (
    Operation(
        id="importUsers",
        method="POST",
        path="/user/import",
        tag=TAG,
        summary="Import users",
        description="A user a line in, what became of each line out, while it is read, without end. A line "
        "is a NewUser with a `key` of yours or an `email`, by which it is known again: importing it twice "
        "makes one user. Each result has `line`, `status` (`created`, `exists`, `invalid`), `id`, and "
        "`errors` as a problem has. The last line has `status` `complete` or `stopped`, and `throughLine`, "
        "through which all is done for good.",
        parameters=(
            Parameter(
                name="results",
                place="query",
                description="`invalid`: answer only lines at fault, and the last.",
                schema={"type": "string", "enum": list(RESULTS)},
                example="all",
            ),
        ),
        body=Body(
            schema=_LINES,
            examples={
                "a user": _USER_LINE,
            },
            media_types=(MEDIA_TYPE,),
        ),
        answers=(
            Answer(
                status=200,
                description="What became of the lines.",
                schema=_LINES,
                example='{"line":1,"status":"created","id":"0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f"}\n'
                '{"status":"complete","throughLine":1,"created":1,"exists":0,"invalid":0}\n',
                media_type=MEDIA_TYPE,
            ),
        ),
        problems=(
            INVALID_INPUT,
            PROBLEMS[ClientGoneError],
            PROBLEMS[TooSlowError],
            problem_of(MediaTypeError("Accept-Post", (MEDIA_TYPE,))),
        ),
    ),
)
