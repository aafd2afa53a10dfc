"""Whose request it is: what limits and keys are counted by."""

from litestar.types import Scope


def client_of(scope: Scope) -> str:
    """Name the client: the caller's subject where there is a caller, else the address."""
    caller = scope["state"].get("caller")
    if caller is not None:
        subject: str = caller.subject
        return subject
    address = scope.get("client")
    return address[0] if address else ""
