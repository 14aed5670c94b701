"""What the plant decides follows from the seed."""

import itertools
import statistics

import pytest

from plant import decisions
from plant.scenarios import ALGORITHMS, SCENARIOS


def first(actor, seed, name="normal_day", count=500):
    return list(itertools.islice(decisions.ACTORS[actor](seed, name, SCENARIOS[name]), count))


@pytest.mark.parametrize("actor", decisions.ACTORS)
def test_the_same_seed_makes_the_same_decisions(actor):
    assert first(actor, 7) == first(actor, 7)
    assert first(actor, 7) != first(actor, 8)
    assert first(actor, 7) != first(actor, 7, "evening_peak")


def test_calculations_do_not_depend_on_who_does_them_or_when():
    a = [decisions.calculation(3, "v2", ALGORITHMS["v2"], f"m-{n}", 0) for n in range(1000)]
    b = [decisions.calculation(3, "v2", ALGORITHMS["v2"], f"m-{n}", 0) for n in reversed(range(1000))]
    assert a == b[::-1]
    assert a != [decisions.calculation(4, "v2", ALGORITHMS["v2"], f"m-{n}", 0) for n in range(1000)]
    assert 0.8 < statistics.median(seconds for seconds, _ in a) < 1.0
    assert 1 <= sum(fails for _, fails in a) <= 30
    assert decisions.calculation(3, "v2", ALGORITHMS["v2"], "m-1", 0) != decisions.calculation(3, "v2", ALGORITHMS["v2"], "m-1", 1)


def test_models_follow_the_catalogue_and_the_share_of_fresh_ones():
    requests = first("sales", 1, "overload_2x", 2000)
    fresh = [r.model for r in requests if r.model.startswith("m-o")]
    assert 0.87 < len(fresh) / len(requests) < 0.93
    assert len(set(fresh)) == len(fresh)
    usual = [r.model for r in first("sales", 1, count=2000)]
    assert usual.count("m-1") > 5 * usual.count("m-20") > 0


def test_poison_comes_in_the_scenario_of_that_name_only():
    share = sum(r.poison for r in first("sales", 1, "poison_message", 1000)) / 1000
    assert 0.2 < share < 0.3
    assert not any(r.poison for r in first("sales", 1, count=1000))
