"""What a new OpenAPI document breaks for the clients of an older one."""

from collections.abc import Iterator, Mapping
from typing import Any

from testkit.schema_changes import Loss, losses, unread_change, unread_changes

Json = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")


def breaking_changes(old: Json, new: Json) -> list[str]:
    """Say in a line each what breaks, and whom; the documents refer to their own components only."""
    before, after = _operations(old), _operations(new)
    told = [
        f"{operation}: is gone; breaks whoever calls it" for operation in before if operation not in after
    ]
    for operation in before:
        if operation in after:
            changes = _operation(before[operation], after[operation])
            told += [f"{operation}: {change}" for change in changes]
    return told


def _operations(document: Json) -> dict[str, Json]:
    return {
        f"{method.upper()} {path}": {
            "security": document.get("security", []),
            **_inlined(item[method], document),
        }
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def _inlined(value: Any, document: Json) -> Any:  # noqa: ANN401 - JSON
    match value:
        case {"$ref": str(reference)}:
            found: Any = document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
            return _inlined(found, document)
        case dict():
            return {key: _inlined(inner, document) for key, inner in value.items()}
        case list():
            return [_inlined(inner, document) for inner in value]
        case _:
            return value


def _operation(old: Json, new: Json) -> Iterator[str]:
    if old["operationId"] != new["operationId"]:
        yield f"operationId {old['operationId']} is now {new['operationId']}; breaks generated clients"
    if new["security"] and not old["security"]:
        yield "a token is needed now; breaks whoever sends none"
    yield from _parameters(old, new)
    yield from _body(old.get("requestBody"), new.get("requestBody"))
    for status, answer in old["responses"].items():
        if status not in new["responses"]:
            if status < "400":
                yield f"answer {status} is gone; breaks whoever waits for it"
        else:
            yield from _answer(f"answer {status}", answer, new["responses"][status])


def _parameters(old: Json, new: Json) -> Iterator[str]:
    before, after = ({(one["in"], one["name"]): one for one in side["parameters"]} for side in (old, new))
    for place, name in before.keys() - after.keys():
        yield f"{place} parameter {name} is gone; breaks whoever sends it"
    for (place, name), parameter in after.items():
        known = before.get((place, name))
        if parameter["required"] and not (known and known["required"]):
            yield f"{place} parameter {name} must be sent now; breaks whoever leaves it out"
        if known:
            for loss in losses(known["schema"], parameter["schema"], name):
                yield f"{place} parameter {_refused(loss)}"


def _body(old: Json | None, new: Json | None) -> Iterator[str]:
    if new is None:
        if old is not None:
            yield "takes no body now; breaks whoever sends one"
        return
    if new["required"] and not (old and old["required"]):
        yield "a body must be sent now; breaks whoever sends none"
    for media_type, content in (old or {"content": {}})["content"].items():
        if media_type not in new["content"]:
            yield f"body {media_type} is gone; breaks whoever sends it"
        else:
            for loss in losses(content["schema"], new["content"][media_type]["schema"]):
                yield f"body {_refused(loss)}"


def _answer(where: str, old: Json, new: Json) -> Iterator[str]:
    for name, header in old.get("headers", {}).items():
        kept = new.get("headers", {}).get(name)
        if kept is None or (header["required"] and not kept["required"]):
            yield f"{where}, header {name} is gone or not always there; breaks whoever reads it"
        else:
            changes = losses(kept["schema"], header["schema"], name)
            yield from (f"{where}, header {unread_change(loss)}" for loss in changes)
    for media_type, content in old.get("content", {}).items():
        if media_type not in new.get("content", {}):
            yield f"{where} is no {media_type} any more; breaks whoever reads it"
        else:
            told = unread_changes(content["schema"], new["content"][media_type]["schema"])
            yield from (f"{where}, {change}" for change in told)


def _refused(loss: Loss) -> str:
    if loss.keyword == "required":
        return f"field {loss.at} must be sent now; breaks whoever leaves it out"
    change = f"{loss.keyword} {loss.wide} is now {loss.narrow}"
    return f"{loss.at or 'as a whole'}: {change}; breaks whoever sends what was taken"
