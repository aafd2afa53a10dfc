"""Who calls, and what they may: bearer tokens (RFC 6750), verified once, and the roles that they carry."""

from user_api.auth.caller import Caller, Role, require, require_user

__all__ = ["Caller", "Role", "require", "require_user"]
