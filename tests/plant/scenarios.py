"""What the plant lives through. Each scenario is a set of rates and faults; README.md documents the effect of each.

Rates are per second of plant time and durations are in seconds of plant time; Plant(speed=10) passes ten of them in one real second.
"""

import dataclasses

WORKERS = 4


@dataclasses.dataclass(frozen=True)
class Algorithm:
    """Calculation times are log-normal around `median`, never beyond `longest`; `failures` is the share that fails."""

    median: float
    spread: float
    longest: float
    failures: float


ALGORITHMS = {
    "v1": Algorithm(median=0.5, spread=0.3, longest=3, failures=0.01),
    "v2": Algorithm(median=0.9, spread=0.4, longest=5, failures=0.01),
    "v3": Algorithm(median=1.8, spread=0.4, longest=8, failures=0.02),
}


@dataclasses.dataclass(frozen=True)
class Scenario:
    shoppers: float = 4.0  # requests to the shop; a fifth ask for a price
    sales: float = 0.8  # orders to the CRM
    partners: float = 2.0  # requests of all ordinary partners together; two fifths ask for a price
    noisy_partner: float = 0.0  # requests of partner "noisy" alone
    ramp: float = 0.0  # rates grow from those of a normal day to these in this time
    models: int = 400  # in the catalogue; asked for by Zipf's law
    fresh_models: float = 0.05  # share of orders and price requests for a model never seen before
    poison: float = 0.0  # share of orders that no MES can read
    algorithm: str = "v2"
    price_ttl: float = 120.0
    faults: tuple = ()  # names of what plant.py does when the scenario begins, and undoes when it ends


NORMAL = Scenario()

SCENARIOS = {
    "normal_day": NORMAL,
    "evening_peak": Scenario(shoppers=16.0, sales=3.2, partners=5.0, ramp=20.0),
    "overload_2x": Scenario(sales=8.0, fresh_models=0.9),
    "dead_consumer": Scenario(faults=("dead_consumer",)),
    "poison_message": Scenario(sales=2.0, poison=0.25),
    "cache_flush": Scenario(faults=("cache_flush",)),
    "new_price_algorithm": Scenario(algorithm="v3"),
    "slow_database": Scenario(sales=3.0, faults=("slow_database",)),
    "noisy_partner": Scenario(noisy_partner=40.0),
    "broker_restart": Scenario(faults=("broker_restart",)),
}


def scenario(name):
    if name not in SCENARIOS:
        raise ValueError(f"there is no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
