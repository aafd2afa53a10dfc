"""`python -m carillon_local.compose_env`: write .env, the secrets for docker-compose.yml."""

from pathlib import Path

from runtime.encrypt import new_key
from testkit.receiver import new_secret


def write_env(file: Path) -> bool:
    """Write the variables that docker-compose.yml asks for, readable by us alone; False if the file is there.

    What a database holds was encrypted with the keys of the first time, so they are never written anew.
    """
    if file.exists():
        return False
    file.touch(mode=0o600)
    file.write_text(
        f"ENCRYPTION_KEYS={new_key('compose')}\nWEBHOOK_SECRET={new_secret()}\n", encoding="utf-8"
    )
    return True


if __name__ == "__main__":
    write_env(Path(".env"))
