import pytest
from testkit.wait import eventually


async def test_it_returns_the_first_true_value() -> None:
    values = iter([0, None, 3, 4])

    assert await eventually(lambda: next(values)) == 3


async def test_it_awaits_what_has_to_be_awaited() -> None:
    values = iter([False, True])

    async def asked() -> bool:
        return next(values)

    assert await eventually(asked) is True


async def test_at_the_deadline_it_says_what_did_not_happen() -> None:
    with pytest.raises(AssertionError, match=r"no bell rang \(within 0.05 s; last: 0\)"):
        await eventually(lambda: 0, within=0.05, message="no bell rang")
