"""The costs in docs/costs.md are those of the prices and sizes that are checked in."""

import msgspec
import pytest

from infra.costs.monthly_cost import PAGE, monthly_cost, page, read


def test_the_page_says_what_the_prices_and_sizes_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(*read())


def test_a_second_zone_costs_the_primary_and_its_storage_again() -> None:
    prices, sizes = read()
    one = msgspec.structs.replace(
        sizes.sizes[1], database=msgspec.structs.replace(sizes.sizes[1].database, zones=1, readers=0)
    )
    two = msgspec.structs.replace(one, database=msgspec.structs.replace(one.database, zones=2))

    cost = [monthly_cost(size, prices, sizes.assumptions)["database"] for size in (one, two)]

    assert cost[1] == pytest.approx(2 * cost[0])


def test_topics_and_queues_grow_with_the_users() -> None:
    prices, sizes = read()
    size = sizes.sizes[1]
    tenfold = msgspec.structs.replace(size, users=10 * size.users)

    before, after = (monthly_cost(one, prices, sizes.assumptions) for one in (size, tenfold))

    assert after["topics"] == pytest.approx(10 * before["topics"])
    assert after["queues"] > before["queues"]
    assert after["database"] == before["database"]
