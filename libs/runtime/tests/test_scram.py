"""SCRAM verifiers: the very ones that PostgreSQL makes."""

import base64
import re
from uuid import uuid4

from runtime.database import Connection
from runtime.scram import scram_verifier


async def test_it_is_the_one_that_postgresql_makes_with_the_same_salt(admin: Connection) -> None:
    role = f"somebody_{uuid4().hex}"
    await admin.execute(f"CREATE ROLE {role} PASSWORD 'open-sesame_42'")
    try:
        made: str = await admin.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", role)
    finally:
        await admin.execute(f"DROP ROLE {role}")
    found = re.search(r":(.*?)\$", made)
    assert found

    assert scram_verifier("open-sesame_42", salt=base64.b64decode(found[1])) == made
