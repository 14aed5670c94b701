"""Everything that the plant decides by chance, as sequences that the seed and the scenario fix.

Each actor draws from a generator of its own, so that the threads' order of running changes no sequence. Generators are endless.
"""

import bisect
import dataclasses
import itertools
import math
import random

ORDINARY_PARTNERS = ("acme", "bolt", "cube")
NOISY_PARTNER = "noisy"
SESSIONS = 200  # of shoppers
# What the partners' programs send in X-API-Key. Only the gateway's map reads it; it is logged nowhere.
API_KEYS = {"acme": "k-acme-6b1f", "bolt": "k-bolt-90d3", "cube": "k-cube-2e77", "noisy": "k-noisy-51aa"}


@dataclasses.dataclass(frozen=True)
class Request:
    """`gap`: plant seconds since the one before, at a rate of one a second."""

    gap: float
    kind: str
    model: str = ""
    partner: str = ""
    poison: bool = False
    tier: str = ""
    session: str = ""


class Models:
    """Draws models: fresh ones never seen before, the others by Zipf's law."""

    def __init__(self, rng, count, fresh, prefix):
        self._rng = rng
        self._fresh = fresh
        self._prefix = prefix
        self._numbers = itertools.count(1)
        weights = [1.0 / rank for rank in range(1, count + 1)]
        self._cumulated = list(itertools.accumulate(weights))

    def draw(self):
        if self._rng.random() < self._fresh:
            return f"m-{self._prefix}-{next(self._numbers)}"
        return f"m-{1 + bisect.bisect(self._cumulated, self._rng.random() * self._cumulated[-1])}"


def _rng(seed, scenario_name, actor):
    return random.Random(f"{seed}/{scenario_name}/{actor}")  # a string seed does not depend on PYTHONHASHSEED


def sales(seed, name, scenario, start=""):
    """Orders that customers place with the CRM. `start` makes the names of fresh models unique among runs of a scenario."""
    rng = _rng(seed, name, "sales")
    models = Models(rng, scenario.models, scenario.fresh_models, f"o{start}")
    while True:
        yield Request(rng.expovariate(1.0), "order", models.draw(), poison=rng.random() < scenario.poison,
                      tier=rng.choice(("retail", "retail", "business")))


def shoppers(seed, name, scenario, start=""):
    rng = _rng(seed, name, "shoppers")
    models = Models(rng, scenario.models, scenario.fresh_models, f"s{start}")
    pages = Models(rng, scenario.models, 0, "")
    while True:
        gap, dice, session = rng.expovariate(1.0), rng.random(), str(rng.randrange(SESSIONS))
        if dice < 0.2:
            yield Request(gap, "price", models.draw(), session=session)
        elif dice < 0.9:
            yield Request(gap, "model", pages.draw(), session=session)
        elif dice < 0.98:
            yield Request(gap, "home", session=session)
        else:
            yield Request(gap, "missing")


def partners(seed, name, scenario, start=""):
    rng = _rng(seed, name, "partners")
    models = Models(rng, scenario.models, scenario.fresh_models, f"p{start}")
    pages = Models(rng, scenario.models, 0, "")
    while True:
        gap, dice = rng.expovariate(1.0), rng.random()
        partner = rng.choice(ORDINARY_PARTNERS)
        if dice < 0.4:
            yield Request(gap, "quote", models.draw(), partner)
        elif dice < 0.75:
            yield Request(gap, "look", pages.draw(), partner)
        elif dice < 0.98:
            yield Request(gap, "catalog", partner=partner)
        else:
            yield Request(gap, "stranger", partner="")


def noisy_partner(seed, name, scenario, start=""):
    """Asks for the same few prices over and over."""
    del start
    rng = _rng(seed, name, "noisy")
    models = Models(rng, min(20, scenario.models), 0, "")
    while True:
        yield Request(rng.expovariate(1.0), "look", models.draw(), NOISY_PARTNER)


ACTORS = {"sales": sales, "shoppers": shoppers, "partners": partners, "noisy_partner": noisy_partner}


def calculation(seed, algorithm_name, algorithm, model, nth):
    """(seconds, fails?) of the nth calculation of a model, whichever worker does it and whenever."""
    rng = random.Random(f"{seed}/{algorithm_name}/{model}/{nth}")
    seconds = algorithm.median * math.exp(algorithm.spread * rng.gauss(0, 1))
    return min(seconds, algorithm.longest), rng.random() < algorithm.failures
