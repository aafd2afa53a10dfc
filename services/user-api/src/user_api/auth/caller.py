"""The caller of a request, and what each route asks of them."""

import re
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from litestar import Request
from msgspec import Struct

from user_api.read_id import read_id
from user_api.refusals import ForbiddenError, UnauthenticatedError


class Role(StrEnum):
    """What a caller is: admins and services reach every user, a user reaches themself."""

    ADMIN = "admin"
    SERVICE = "service"
    USER = "user"


class Caller(Struct, frozen=True, kw_only=True):
    """Who calls; `user_id` is theirs when one of their roles is user."""

    subject: str
    user_id: UUID | None
    roles: frozenset[Role]


# An issuer may have e-mail addresses for subjects.
_SANE_SUBJECT = re.compile(r"[A-Za-z0-9_.:|-]{1,64}", re.ASCII)
ANONYMOUS = Caller(subject="anonymous", user_id=None, roles=frozenset({Role.ADMIN}))
EVERY_USER = frozenset({Role.ADMIN, Role.SERVICE})
_KNOWN_ROLES = {role.value: role for role in Role}


def caller_named(subject: str, role_names: list[str]) -> Caller | None:
    """Give a token's caller, unknown roles left out; None for a mere user whose subject is no user id."""
    roles = frozenset(_KNOWN_ROLES[name] for name in role_names if name in _KNOWN_ROLES)
    user_id = read_id(subject) if Role.USER in roles else None
    if user_id is None and roles == {Role.USER}:
        return None
    return Caller(subject=subject, user_id=user_id, roles=roles)


def actor_of(caller: Caller) -> str:
    """Name a caller for the audit: the widest role and the subject, hashed where it may be an address."""
    role = next((role.value for role in Role if role in caller.roles), "nobody")
    subject = caller.subject
    if not _SANE_SUBJECT.fullmatch(subject):
        subject = f"sha256:{sha256(subject.encode()).hexdigest()[:16]}"
    return f"{role}:{subject}"


def require(request: Request[Any, Any, Any], *roles: Role) -> Caller:
    """Give the caller, who has one of the roles. Raises ForbiddenError, UnauthenticatedError."""
    caller = _caller(request)
    if caller.roles.isdisjoint(roles):
        raise ForbiddenError
    return caller


def require_user(request: Request[Any, Any, Any], user_id: UUID) -> Caller:
    """Give the caller, who is that user, an admin or a service. Raises ForbiddenError, UnauthenticatedError.

    Called before anything is read or checked, so that the answer is the same whether or not the user exists.
    """
    caller = _caller(request)
    if caller.roles.isdisjoint(EVERY_USER) and caller.user_id != user_id:
        raise ForbiddenError
    return caller


def _caller(request: Request[Any, Any, Any]) -> Caller:
    caller: Caller | None = request.scope["state"].get("caller")
    if caller is None:
        # The way in has let the request pass as one to an open path: the route knows better.
        raise UnauthenticatedError
    return caller
