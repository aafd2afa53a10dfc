import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from runtime.guard_hosts import MOST_ASKED_AT_ONCE, Forbidden, Guard, Reachable, Unresolved
from runtime.public_address import Address, read_networks
from testkit.wait import eventually

PUBLIC = ip_address("8.8.8.8")
OTHER = ip_address("2606:4700::1111")
PRIVATE = ip_address("10.0.0.1")


class Dns:
    """Answers as told, the last answer for ever, and counts the questions; silent names get none."""

    def __init__(self, *answers: Sequence[Address]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.silent: set[str] = set()

    async def __call__(self, name: str) -> Sequence[Address]:
        self.asked.append(name)
        if name in self.silent:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_a_name_with_public_addresses_is_reachable_at_these() -> None:
    guard = Guard((), within=5, ask=Dns([PUBLIC, OTHER]))

    assert await guard.find("partner.example") == Reachable((PUBLIC, OTHER))


async def test_a_name_at_forbidden_addresses_is_refused_but_not_for_good() -> None:
    guard = Guard((), within=5, ask=Dns([PRIVATE]))

    assert await guard.find("partner.example") == Forbidden("private", for_good=False)


async def test_of_mixed_addresses_only_the_allowed_ones_are_given() -> None:
    guard = Guard((), within=5, ask=Dns([PRIVATE, PUBLIC, ip_address("::1")]))

    assert await guard.find("partner.example") == Reachable((PUBLIC,))


@pytest.mark.parametrize(
    ("host", "kind"),
    [("127.0.0.1", "loopback"), ("[::ffff:a00:1]", "private"), ("[64:ff9b::a00:1]", "translated")],
)
async def test_a_forbidden_address_itself_is_refused_for_good_without_a_question(
    host: str, kind: str
) -> None:
    dns = Dns([PUBLIC])

    assert await Guard((), within=5, ask=dns).find(host) == Forbidden(kind, for_good=True)
    assert dns.asked == []


async def test_an_opened_network_is_reachable() -> None:
    guard = Guard(read_networks("10.0.0.0/8"), within=5, ask=Dns([PRIVATE]))

    assert await guard.find("inside.example") == Reachable((PRIVATE,))
    assert await guard.find("10.9.9.9") == Reachable((ip_address("10.9.9.9"),))


async def test_all_who_ask_at_once_and_soon_after_share_one_question() -> None:
    dns = Dns([PUBLIC])
    guard = Guard((), within=5, ask=dns)

    found = await asyncio.gather(*(guard.find("partner.example") for _ in range(50)))
    later = await guard.find("partner.example")

    assert dns.asked == ["partner.example"]
    assert all(one is later for one in found)


async def test_an_answer_no_longer_kept_is_asked_for_and_judged_anew() -> None:
    guard = Guard((), within=5, keep=0, ask=Dns([PUBLIC], [PRIVATE], [OTHER]))

    assert [await guard.find("rebinding.example") for _ in range(3)] == [
        Reachable((PUBLIC,)),
        Forbidden("private", for_good=False),
        Reachable((OTHER,)),
    ]


async def test_a_name_that_has_no_address_is_asked_for_again_at_once() -> None:
    guard = Guard((), within=5, ask=Dns([], [PUBLIC]))

    assert await guard.find("new.example") == Unresolved()
    assert await guard.find("new.example") == Reachable((PUBLIC,))


async def test_silent_name_servers_are_given_up_in_time_and_asked_once_and_hold_up_no_other_name() -> None:
    dns = Dns([PUBLIC])
    dns.silent = {f"silent-{number}.example" for number in range(MOST_ASKED_AT_ONCE - 1)}
    patient, guard = 30, Guard((), within=0.2, ask=dns)

    async with asyncio.timeout(patient):
        found = await asyncio.gather(*(guard.find(name) for name in [*dns.silent, *dns.silent]))
        other = await guard.find("partner.example")

    assert found == [Unresolved()] * (2 * len(dns.silent))
    assert other == Reachable((PUBLIC,))
    assert len(dns.asked) == len(dns.silent) + 1


async def test_whoever_stops_waiting_does_not_call_off_the_question_of_the_others() -> None:
    dns = Dns([PUBLIC])
    guard = Guard((), within=5, ask=dns)
    hasty, patient = (asyncio.create_task(guard.find("partner.example")) for _ in range(2))
    await eventually(lambda: dns.asked)

    hasty.cancel()

    assert await patient == Reachable((PUBLIC,))
