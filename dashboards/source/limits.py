"""The values from which alerts fire: thresholds of panels. A test holds them equal to alerts/*.rules.yaml."""

import dataclasses

from .grafana import Thresholds


@dataclasses.dataclass(frozen=True)
class Limit:
    """What `alert` compares with: the recorded objective `record`, whose default is `value`, or the constant `value`.

    `below` is for values that are bad when they are small. A limit of 0 is one of a count: red from 1 on.
    `near` is the share of the limit from which on it is yellow.
    """
    alert: str
    value: float
    record: str = ""
    below: bool = False
    near: float = 0.75

    def thresholds(self, line=False):
        if self.below:
            steps = ((None, "red"), (self.value, "green"))
        elif self.value == 0 or self.near >= 1:
            steps = ((None, "green"), (self.value or 1, "red"))
        else:
            steps = ((None, "green"), (round(self.value * self.near, 6), "yellow"), (self.value, "red"))
        return Thresholds(steps, line)


DRAIN = Limit("MesQueueDrainTooLong", 600, "mes:queue_drain_seconds:objective")
HEAD_AGE = Limit("MesQueueHeadTooOld", 900, "mes:queue_head_age_seconds:objective")
HIT_RATIO = Limit("MesCacheHitRateUnderFloor", 0.5, "mes:cache_hit_ratio:objective", below=True)
EVICTIONS = Limit("MesCacheEvictions", 0.2)
PRICE_TIME = Limit("MesPriceCalculationSlow", 30, "mes:price_calculation_duration_seconds:objective")
PRICE_ERRORS = Limit("MesPriceCalculationFailing", 0.1)
APP_ERRORS = Limit("AppErrorsHigh", 0.05)
REPLICA_LAG = Limit("MesDbReplicaLag", 30, "mes:db_replication_lag_seconds:objective")
SELECTIVITY = Limit("MesDbHotSelectivityPoor", 0.3, "mes:db_status_index_selectivity_ratio:objective")
DB_CONNECTIONS = Limit("MesDbConnectionsNearLimit", 0.85)
LONG_QUERIES = Limit("MesDbLongQueries", 0)
GATEWAY_SLOW = Limit("GatewaySlow", 1, "gateway:request_duration_seconds:objective")
PARTNER_REJECTED = Limit("GatewayPartnerThrottled", 0.1)
UPSTREAM_ERRORS = Limit("GatewayUpstreamFailing", 0.1)
BURN_1H = Limit("GatewayErrorBudgetBurn", 14.4, near=1)
BURN_6H = Limit("GatewayErrorBudgetBurn", 6, near=1)
BURN_1D = Limit("GatewayErrorBudgetBurn", 3, near=1)
BURN_3D = Limit("GatewayErrorBudgetBurn", 1, near=1)
GATEWAY_AVAILABILITY = Limit("GatewayErrorBudgetBurn", 0.995, "gateway:availability_ratio:objective")
LOG_LAG = Limit("LogLagHigh", 300, "sidelight:log_lag_seconds:objective")
MEMORY_BUDGET = Limit("SidelightNearMemoryBudget", 0.9)
STORE_DISK = Limit("LogStoreDiskFilling", 0.85, "log_store:disk_used_ratio:objective")
RELAY_QUEUE = Limit("LogRelayQueueFilling", 0.8)

# Of a share of failed requests: yellow where the budget does not last, red where an hour of it pages.
FAILED_REQUESTS = Thresholds(((None, "green"), (round(1 - GATEWAY_AVAILABILITY.value, 6), "yellow"),
                              (round(BURN_1H.value * (1 - GATEWAY_AVAILABILITY.value), 6), "red")))
