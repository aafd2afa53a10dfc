"""The kinds of occasion: one module each, found because it is here.

A new kind is a module, say `nameday`, with a `Kind` by that name, `NAMEDAY`; an entry for its due event in
the topology; and the schemas of what it adds to the contracts. `testkit.nameday` is such a module.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING

from domain.kind import Kind


class UnknownKind(ValueError):  # noqa: N818 - named for what was found, as UnknownZone is
    """No module here has a kind of that type."""

    def __init__(self, occasion_type: str) -> None:
        """Keep the type for the message."""
        super().__init__(f"unknown kind of occasion: {occasion_type!r}")


def _found() -> Iterator[Kind]:
    for module in iter_modules(__path__):
        yield getattr(import_module(f"{__name__}.{module.name}"), module.name.upper())


KINDS: Mapping[str, Kind] = MappingProxyType({kind.occasion_type: kind for kind in _found()})
"""Every kind, by its type."""

# Its members are the modules here, which a type checker cannot count: to that, a type is a text.
if TYPE_CHECKING:
    OccasionType = str
else:
    OccasionType = StrEnum("OccasionType", {occasion_type: occasion_type for occasion_type in KINDS})
    OccasionType.__doc__ = "The kinds of occasion."


def kind_of(occasion_type: str) -> Kind:
    """Give the kind of that type; raise UnknownKind for one that this release does not have."""
    try:
        return KINDS[occasion_type]
    except KeyError:
        raise UnknownKind(occasion_type) from None
