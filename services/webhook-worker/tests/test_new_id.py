from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from runtime.database import Connection

IDS = "SELECT delivery.new_id() FROM generate_series(1, 10000)"
# RFC 9562 §5.7: all but 48 bits of milliseconds, the version and the variant.
RANDOM_BITS = [*range(62), *range(64, 76)]


async def test_a_new_id_is_a_uuid_v7_of_the_moment_whose_every_other_bit_is_random(admin: Connection) -> None:
    before = datetime.now(UTC).timestamp()
    ids = [UUID(str(row["new_id"])) for row in await admin.fetch(IDS)]
    after = datetime.now(UTC).timestamp()

    assert {(one.version, one.variant) for one in ids} == {(7, RFC_4122)}
    moments = [(one.int >> 80) / 1000 for one in ids]
    assert moments == sorted(moments)
    assert before - 0.001 <= moments[0] <= moments[-1] <= after
    assert len(set(ids)) == len(ids)
    shares = [sum(one.int >> bit & 1 for one in ids) / len(ids) for bit in RANDOM_BITS]
    assert 0.45 < min(shares) <= max(shares) < 0.55  # ten standard deviations
