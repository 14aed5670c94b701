"""Overview: is the shop healthy, on one screen, with a link down from everything."""

from . import limits
from .dashboard import Dashboard, Text
from .grafana import Column, Link, Query, Thresholds, on_right_axis, stat, states, table, timeseries
from .shared import (CLUSTER, EVENTS_A_SECOND, SERVICE_ERRORS, UP_TEXTS, annotations, kibana, log_links, runbook, selector, service_namespace_choice,
                     to_dashboard)

C = selector("cluster")
LOGS = selector("cluster", "namespace")
ALERT_LABELS = {"severity": "Severity", "alertname": "Alert", "cluster": "Cluster", "target": "Target", "queue": "Queue",
                "partner": "Partner", "namespace": "Namespace", "pod": "Pod"}
NO_APP = "No log of an application is read (log_metrics preset app)"
NO_GATEWAY = "No log of the gateway is read (log_metrics preset gateway)"


def dashboard():
    return Dashboard(
        uid="sidelight-overview",
        title="Shop overview",
        description="Is the shop healthy: shop, CRM, MES, gateway, queue, cache, database, logs, firing alerts. Click on a value to see more.",
        variables=[CLUSTER, service_namespace_choice("app_requests_total"), Text("trace", "Trace id")],
        annotations=annotations(".+", tickets=False),
        links=log_links(),
        items=[*_alerts_and_services(), *_backends(), *_course(), *_details()],
    )


def _firing(severity):
    return Query(f'count(ALERTS{selector("cluster", alertstate="firing", severity=severity)}) or vector(0)')


def _tile(*arguments, **options):
    """So small that a curve would be behind the number; the graphs below have the course."""
    return stat(*arguments, width=3, height=3, graph=False, **options)


def _alerts_and_services():
    bad = Thresholds(((None, "green"), (1, "red")))
    return [
        _tile("Pages", "Alerts that fire and wake somebody: symptoms that customers feel.", [_firing("page")], "short", thresholds=bad),
        _tile("Tickets", "Alerts that fire and wait for working hours: causes.", [_firing("ticket")], "short",
              thresholds=Thresholds(((None, "green"), (1, "yellow")))),
        stat("Failed requests by service",
             "Share of requests of shop, CRM, MES and partner API that they answered with 500 or more, as their own logs "
             "tell. A service without requests is not shown.",
             [Query(f"max by (cluster, service_name) (app:request_error_ratio:rate5m{LOGS})", "{{service_name}}")], "percentunit", width=12, height=3,
             thresholds=limits.APP_ERRORS.thresholds(), decimals=1, names=True, graph=False, absent=NO_APP,
             links=[*runbook("AppErrorsHigh"), kibana("sidelight-errors", "Its errors in Kibana", SERVICE_ERRORS, data=True)]),
        _tile("Gateway 5xx", "Share of the gateway's requests that failed in the last 30 minutes.",
              [Query(f"max(gateway:slo_error_ratio:rate30m{LOGS})")], "percentunit", decimals=2,
              thresholds=limits.FAILED_REQUESTS, absent="No gateway log read",
              links=[to_dashboard("gateway", "Gateway"), *runbook("GatewayErrorBudgetBurn", data=True)]),
        _tile("Gateway p99", "99 of 100 requests to the gateway are answered within this time.",
              [Query(f"max(gateway:request_duration_seconds:p99{LOGS})")], "s", thresholds=limits.GATEWAY_SLOW.thresholds(),
              absent="No gateway log read", links=[to_dashboard("gateway", "Gateway"), *runbook("GatewaySlow", data=True)]),
    ]


def _backends():
    return [
        _tile("Queue drain", "Backlog of the MES's worst queue divided by its rate of acknowledgements.",
              [Query(f"max(mes:queue_drain_seconds:max{C})")],
              "s", thresholds=limits.DRAIN.thresholds(), absent="Nothing acknowledged",
              links=[to_dashboard("queue", "MES queue"), *runbook("MesQueueDrainTooLong", data=True)]),
        _tile("Oldest wait", "Age of the oldest message at the head of a queue of the MES.", [Query(f"max(mes:queue_head_age_seconds:max{C})")],
              "s", thresholds=limits.HEAD_AGE.thresholds(), absent="No message waits",
              links=[to_dashboard("queue", "MES queue"), *runbook("MesQueueHeadTooOld", "MesQueueStalled", data=True)]),
        _tile("Price within", "95 of 100 price calculations are done within this time.",
              [Query(f"max(mes:price_calculation_duration_seconds:p95{LOGS})")],
              "s", thresholds=limits.PRICE_TIME.thresholds(), absent="No calculation lately",
              links=[to_dashboard("price", "Price cache"), *runbook("MesPriceCalculationSlow", data=True)]),
        _tile("Cache hits", "Share of look-ups that the worst cache answered in the last 30 minutes.",
              [Query(f"min(mes:cache_hit_ratio:rate30m{C})")], "percentunit", thresholds=limits.HIT_RATIO.thresholds(), decimals=0,
              absent="No look-ups", links=[to_dashboard("price", "Price cache"), *runbook("MesCacheHitRateUnderFloor", data=True)]),
        _tile("DB clients", "Share of the connections taken that the fullest database server allows.",
              [Query(f"max(sum by (cluster, target) (mes:db_connections:max{C}) / (mes:db_connections_limit:max{C} > 0))")], "percentunit",
              thresholds=limits.DB_CONNECTIONS.thresholds(), decimals=0, absent="No database watched",
              links=[to_dashboard("database", "MES database"), *runbook("MesDbConnectionsNearLimit", "MesDbDown", data=True)]),
        _tile("Logs late by", "Age of the oldest line that is not delivered yet, of all sidecars.",
              [Query(f"max(sidelight:input_lag_seconds:max{C})")],
              "s", thresholds=limits.LOG_LAG.thresholds(), absent="No log is shipped",
              links=[to_dashboard("logs", "Log pipeline"), *runbook("LogLagHigh", data=True)]),
        _tile("Log store disk", "Used share of the fullest disk of Elasticsearch or OpenSearch.", [Query(f"max(log_store:disk_used_ratio:max{C})")],
              "percentunit", thresholds=limits.STORE_DISK.thresholds(), decimals=0, absent="No log store watched",
              links=[to_dashboard("capacity", "Capacity"), *runbook("LogStoreDiskFilling", data=True)]),
        _tile("Targets silent", "Brokers, caches, databases, gateways and other targets that answer none of those who watch them.",
              [Query(f"count(sidelight:collector_up:max{C} == 0) or 0 * count(sidelight:collector_up:max{C})")], "short",
              thresholds=Thresholds(((None, "green"), (1, "red"))), absent="No target is watched",
              links=[to_dashboard("sidecar", "Sidecar"), *runbook("CollectorDown", "TargetUnwatched", data=True)]),
    ]


def _course():
    errors = kibana("sidelight-errors", "Errors of the service in Kibana", SERVICE_ERRORS, data=True)
    return [
        timeseries("Requests", "Requests that each service logged, a second.",
                   [Query(f"sum by (cluster, service_name) (app:requests:rate5m{LOGS})", "{{service_name}}")],
                   "reqps", height=6, absent=NO_APP, links=[errors]),
        timeseries("Answered within", "95 of 100 requests of each service are answered within this time.",
                   [Query(f"max by (cluster, service_name) (app:request_duration_seconds:p95{LOGS})", "{{service_name}}")], "s", height=6, absent=NO_APP,
                   links=[errors]),
        timeseries("Errors logged", "Events of level error and above, of each service.",
                   [Query(f'sum by (cluster, service_name) (app:log_events:rate5m{selector("cluster", "namespace", level="error|critical|alert|emergency")}) '
                          f"or 0 * sum by (cluster, service_name) (app:log_events:rate5m{LOGS})", "{{service_name}}")], EVENTS_A_SECOND, height=6, absent=NO_APP,
                   links=[errors]),
        timeseries("MES: backlog and prices", "Messages that wait or are worked on, and prices calculated a second.",
                   [Query(f"sum(mes:queue_depth:max{C})", "backlog"), Query(f"sum(mes:price_calculations:rate5m{LOGS})", "calculations")], "short",
                   height=6,
                   overrides=[on_right_axis("/calculations/", "ops")], absent="No queue is watched", links=[to_dashboard("queue", "MES queue")]),
        timeseries("Gateway", "Answers of the gateway by status class.",
                   [Query(f"sum by (status_class) (gateway:requests:rate5m{LOGS})", "{{status_class}}")], "reqps", height=6, stack=True,
                   absent=NO_GATEWAY,
                   links=[to_dashboard("gateway", "Gateway")]),
        timeseries("Logs", "Bytes of log read and bytes of documents acknowledged, of all sidecars.",
                   [Query(f"sum(sidelight:read_bytes:rate5m{C})", "read"), Query(f"sum(sidelight:shipped_bytes:rate5m{C})", "acknowledged")], "Bps",
                   height=6,
                   absent="No log is shipped", links=[to_dashboard("logs", "Log pipeline")]),
    ]


def _details():
    by = ", ".join(ALERT_LABELS)
    chosen = selector("cluster", severity="page|ticket")
    firing = selector("cluster", severity="page|ticket", alertstate="firing")
    return [
        table("Firing alerts", "What fires now and since when. The name leads to the runbook.", ALERT_LABELS,
              [Column("Since", f"(max by ({by}) (ALERTS_FOR_STATE{chosen}) and max by ({by}) (ALERTS{firing})) * 1000", "dateTimeFromNow")],
              width=18, height=6, absent="Nothing fires", sort="Severity", smallest_first=True, values_after="alertname",
              wide={"Alert": 215, "Target": 96, "Pod": 198},
              cell_texts={"Severity": {"page": ("page", "red"), "ticket": ("ticket", "yellow")}},
              cell_links={"Alert": Link("Runbook", "${runbooks}/${__data.fields.alertname}.md", new_tab=True)}),
        states("Targets", "Whether each target answers somebody who watches it.",
               [Query(f"sidelight:collector_up:max{C}", "{{collector}} {{target}}")], UP_TEXTS, width=6, height=6,
               links=[*runbook("MesBrokerDown", "MesCacheDown", "MesDbDown", "GatewayDown", "CollectorDown"), to_dashboard("sidecar", "Sidecar")],
               absent="No target is watched"),
    ]
