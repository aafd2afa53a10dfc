"""Who may call the local system's API: anybody, or who has a token, and how to get one."""

from carillon_local.local_folder import keep_jwt_secret
from carillon_local.options import Options


def auth_variables(options: Options) -> dict[str, str]:
    """Return what the API is told; a secret is made and kept in LOCAL_DIR where one is needed."""
    if options.auth == "off":
        return {"AUTH": "off"}
    # The API itself says what is wrong with them.
    given = {"JWT_SECRET": options.jwt_secret, "JWKS_URL": options.jwks_url}
    keys = {name: value for name, value in given.items() if value}
    return {
        "AUTH": options.auth,
        "JWT_ISSUER": options.jwt_issuer,
        "JWT_AUDIENCE": options.jwt_audience,
        **(keys or {"JWT_SECRET": keep_jwt_secret(options.local_dir)}),
    }


def how_to_call(options: Options) -> str:
    """Return what a caller needs, for people."""
    if options.auth == "off":
        return "off: everybody is an admin"
    if options.jwks_url:
        return f"tokens of {options.jwt_issuer}"
    return f'-H "authorization: Bearer $(make -s token ROLE=admin LOCAL_DIR={options.local_dir})"'
