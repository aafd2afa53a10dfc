"""Entity tags and the preconditions that name them (RFC 9110 §8.8.3, §13.1): a user's tag is its version."""

import re
from typing import Literal

from litestar.types import Scope
from msgspec import Struct

from user_api.refusals import FieldProblem, IfMatchMissingError, InvalidInputError

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,(?:[ \t]*{_TAG})?)*[ \t]*")
_TAGS = re.compile(_TAG)


class Tags(Struct, frozen=True):
    """The tags that a precondition lists, as sent; None stands for `*`."""

    listed: tuple[str, ...] | None

    def match_strongly(self, version: int) -> bool:
        """Tell whether the version is among them, as If-Match compares: a weak tag never matches."""
        return self.listed is None or entity_tag(version) in self.listed

    def match_weakly(self, version: int) -> bool:
        """Tell whether the version is among them, as If-None-Match compares: weak or strong."""
        return self.listed is None or entity_tag(version) in {tag.removeprefix("W/") for tag in self.listed}


ANY = Tags(None)


def entity_tag(version: int) -> str:
    """Give the tag of a version."""
    return f'"{version}"'


def required_if_match(scope: Scope) -> Tags:
    """Read If-Match. Raises IfMatchMissingError without one, InvalidInputError for what is no tag."""
    tags = read_tags(scope, "If-Match")
    if tags is None:
        raise IfMatchMissingError
    return tags


def read_tags(scope: Scope, header: Literal["If-Match", "If-None-Match"]) -> Tags | None:
    """Read a precondition; None when it is not sent. Raises InvalidInputError for what is no tag."""
    wanted = header.lower().encode()
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
    if not sent:
        return None
    text = ", ".join(sent).strip()
    if text == "*":
        return Tags(None)
    if _LIST.fullmatch(text) is None:
        raise InvalidInputError([FieldProblem(header, 'is not an entity tag, such as "3"')])
    return Tags(tuple(_TAGS.findall(text)))
