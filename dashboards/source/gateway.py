"""Gateway: rate, errors, duration; the limiter for each partner; upstreams and the gateway's cache."""

from . import limits
from .dashboard import Choice, Dashboard, Text
from .grafana import Query, Row, Thresholds, in_color, on_right_axis, stat, states, timeseries
from .shared import (CLUSTER, OBJECTIVE_LINE, UP_TEXTS, annotations, log_links, named, objective, runbook, selector, service_namespace_choice, target_choice)

LOGS = selector("cluster", "namespace")
ROUTES = selector("cluster", "namespace", "route")
REQUESTS = selector("cluster", "namespace", "route", "partner")
PARTNERS = selector("cluster", "namespace", "partner")
SERVER = selector("cluster", "target")
NO_LOGS = "No log of the gateway is read (log_metrics preset gateway)"
NO_SERVER = "No gateway is watched (collectors.nginx)"
NO_CACHE = "The gateway caches nothing"
CLASSES = (in_color("/2xx/", "green"), in_color("/3xx/", "blue"), in_color("/4xx/", "yellow"), in_color("/5xx/", "red"))
BUDGET = f"(1 - gateway:availability_ratio:objective{LOGS})"


def of_partner(expr):
    return named(expr, "partner", "(no partner)")


def dashboard():
    return Dashboard(
        uid="sidelight-gateway",
        title="Gateway",
        description="Requests, errors and times of the gateway as its access log tells them, the burn of its error budget, the limiter for each "
                    "partner, upstreams, the gateway's cache and connections.",
        variables=[CLUSTER, service_namespace_choice("gateway_requests_total"),
                   Choice("route", "Route", f"label_values(gateway:requests:rate5m{LOGS}, route)"),
                   Choice("partner", "Partner", f"label_values(gateway:requests:rate5m{LOGS}, partner)"),
                   target_choice("nginx"), Text("trace", "Trace id")],
        annotations=annotations("gateway"),
        links=log_links(),
        items=[*_now(), *_requests(), *_budget(), *_limiter(), *_upstreams(), *_server()],
    )


def _now():
    return [
        Row("Now"),
        stat("Requests", "Requests of the chosen routes and partners, a second.", [Query(f"sum(gateway:requests:rate5m{REQUESTS})")], "reqps",
             decimals=1, absent="No log of the gateway is read"),
        stat("Failed", "Share of those requests that were answered with 500 or more.",
             [Query(f'(sum(gateway:requests:rate5m{selector("cluster", "namespace", "route", "partner", status_class="5xx")}) '
                    f"or 0 * sum(gateway:requests:rate5m{REQUESTS})) / (sum(gateway:requests:rate5m{REQUESTS}) > 0)")], "percentunit", decimals=2,
             thresholds=limits.FAILED_REQUESTS, links=runbook("GatewayErrorBudgetBurn"), absent="No requests"),
        stat("Burn, one hour",
             "How many times faster than it may last a month the error budget went in the last hour. From 14.4 on it pages.",
             [Query(f"max(gateway:slo_error_ratio:rate1h{LOGS} / {BUDGET})")], "short", decimals=1, thresholds=limits.BURN_1H.thresholds(),
             links=runbook("GatewayErrorBudgetBurn"), absent="No requests"),
        stat("99 of 100 within", "99 of 100 requests are answered within this time.", [Query(f"max(gateway:request_duration_seconds:p99{LOGS})")],
             "s", thresholds=limits.GATEWAY_SLOW.thresholds(), links=runbook("GatewaySlow"), absent="No requests"),
        stat("Worst partner", "Share of requests that the limiter rejects, of the partner whom it hits hardest.",
             [Query(f"max(gateway:rejected_ratio:rate5m{PARTNERS})")], "percentunit", decimals=1, thresholds=limits.PARTNER_REJECTED.thresholds(),
             links=runbook("GatewayPartnerThrottled"), absent="Nothing is limited"),
        stat("Worst upstream", "Share of answers with 500 or more, of the worst upstream; retries hide some from customers.",
             [Query(f"max(gateway:upstream_error_ratio:rate5m{LOGS})")], "percentunit", decimals=1, thresholds=limits.UPSTREAM_ERRORS.thresholds(),
             links=runbook("GatewayUpstreamFailing"), absent="No upstream"),
    ]


def _requests():
    return [
        Row("Rate, errors, duration"),
        timeseries("Requests by status", "Answers by status class.",
                   [Query(f"sum by (status_class) (gateway:requests:rate5m{REQUESTS})", "{{status_class}}")],
                   "reqps", stack=True, overrides=CLASSES, absent=NO_LOGS),
        timeseries("Errors by route", "Answers with 500 or more, by route.",
                   [Query(f'sum by (cluster, route) (gateway:requests:rate5m{selector("cluster", "namespace", "route", "partner", status_class="5xx")}) '
                          f"or 0 * sum by (cluster, route) (gateway:requests:rate5m{REQUESTS})", "{{route}}")], "reqps",
                          links=runbook("GatewayErrorBudgetBurn"),
                   absent=NO_LOGS),
        timeseries("Duration", "50, 95 and 99 of 100 requests are answered within this time. The objective is for 99 "
                   "(gateway_request_duration_seconds_objective).",
                   [Query(f"max(gateway:request_duration_seconds:p50{LOGS})", "50 of 100"),
                    Query(f"max(gateway:request_duration_seconds:p95{LOGS})", "95 of 100"),
                    Query(f"max(gateway:request_duration_seconds:p99{LOGS})", "99 of 100"), objective(limits.GATEWAY_SLOW, LOGS)], "s",
                   thresholds=limits.GATEWAY_SLOW.thresholds(), overrides=[OBJECTIVE_LINE], links=runbook("GatewaySlow"), absent="No requests"),
        timeseries("Requests by route", "Of the chosen partners.", [Query(f"sum by (cluster, route) (gateway:requests:rate5m{REQUESTS})", "{{route}}")],
                   "reqps", absent=NO_LOGS),
        timeseries("Requests by partner", "Of the chosen routes.", [Query(of_partner(f"sum by (cluster, partner) (gateway:requests:rate5m{REQUESTS})"), "{{partner}}")],
                   "reqps", absent=NO_LOGS),
        timeseries("Duration by route", "95 of 100 requests to each route are answered within this time.",
                   [Query(f"gateway:request_duration_seconds_by_route:p95{ROUTES}", "{{route}}")], "s",
                   links=runbook("GatewaySlow"), absent="No requests"),
    ]


def _budget():
    def burn(window, name):
        return Query(f"max(gateway:slo_error_ratio:{window}{LOGS} / {BUDGET})", name)

    def windows(title, long, short, limit, described):
        return timeseries(title, f"Share of failed requests divided by what the objective (gateway_availability_ratio_objective) allows. {described}",
                          [burn(long, f"{long[4:]}"), burn(short, f"{short[4:]}")], "short", width=6, thresholds=limit.thresholds(line=True),
                          links=runbook("GatewayErrorBudgetBurn"), absent="No requests")

    return [
        Row("Error budget"),
        windows("Burn: an hour", "rate1h", "rate5m", limits.BURN_1H, "Both over 14.4: 2 % of the month's budget went in an hour, page."),
        windows("Burn: six hours", "rate6h", "rate30m", limits.BURN_6H, "Both over 6: 5 % went in six hours, page."),
        windows("Burn: a day", "rate1d", "rate2h", limits.BURN_1D, "Both over 3: 10 % went in a day, ticket."),
        windows("Burn: three days", "rate3d", "rate6h", limits.BURN_3D, "Both over 1: 10 % went in three days, ticket."),
    ]


def _limiter():
    return [
        Row("Limiter"),
        timeseries("Rejected by partner", "Share of each partner's requests that the limiter rejects. From the dashed line on a ticket is made.",
                   [Query(of_partner(f"gateway:rejected_ratio:rate5m{PARTNERS}"), "{{partner}}")], "percentunit", maximum=1,
                   thresholds=limits.PARTNER_REJECTED.thresholds(line=True), links=runbook("GatewayPartnerThrottled"), absent="Nothing is limited"),
        timeseries("Limiter's outcome", "What the limiter did with requests of the chosen routes and partners; dry run: what it would have done.",
                   [Query(f"sum by (outcome) (gateway:limited_requests:rate5m{REQUESTS})", "{{outcome}}")], "reqps", stack=True,
                   overrides=[in_color("/^passed/", "green"), in_color("/^delayed/", "yellow"), in_color("/^rejected/", "red")],
                   absent="Nothing is limited"),
        timeseries("Rejected requests", "Requests that the limiter rejects, by partner and route.",
                   [Query(of_partner("sum by (cluster, partner, route) (gateway:limited_requests:rate5m"
                                     f'{selector("cluster", "namespace", "route", "partner", outcome="rejected")})'),
                          "{{partner}} {{route}}")], "reqps", links=runbook("GatewayPartnerThrottled"), absent="Nothing is rejected"),
    ]


def _upstreams():
    return [
        Row("Upstreams and cache"),
        timeseries("Failing upstreams",
                   "Share of answers with 500 or more of each upstream, each try counted. From the dashed line on a ticket is made.",
                   [Query(f"gateway:upstream_error_ratio:rate5m{LOGS}", "{{upstream}}")], "percentunit", width=6, maximum=1,
                   thresholds=limits.UPSTREAM_ERRORS.thresholds(line=True), links=runbook("GatewayUpstreamFailing"), absent="No upstream"),
        timeseries("Answers of upstreams", "By upstream and status class, each try counted.",
                   [Query(f"sum by (cluster, upstream, status_class) (gateway:upstream_responses:rate5m{LOGS})", "{{upstream}} {{status_class}}")], "reqps",
                   width=6, stack=True, absent="No upstream"),
        timeseries("Duration of upstreams", "95 of 100 answers of each upstream come within this time.",
                   [Query(f"gateway:upstream_duration_seconds:p95{LOGS}", "{{upstream}}")], "s", width=6, links=runbook("GatewaySlow"),
                   absent="No upstream"),
        timeseries("Gateway's cache", "Requests by what the gateway's own cache did, and its hit rate.",
                   [Query(f"sum by (status) (gateway:cache_requests:rate5m{ROUTES})", "{{status}}"),
                    Query(f"gateway:cache_hit_ratio:rate5m{ROUTES}", "hit rate {{route}}")], "reqps", width=6,
                    overrides=[on_right_axis("/hit rate/", "percentunit")],
                   absent=NO_CACHE),
    ]


def _server():
    return [
        Row("Server"),
        timeseries("Connections", "Client connections of nginx by state.", [Query(f"sum by (state) (gateway:connections:max{SERVER})", "{{state}}")],
                   "short", width=6, absent=NO_SERVER),
        timeseries("Connections not handled", "Accepted less handled: nginx ran out of worker_connections.",
                   [Query(f"clamp_min(gateway:connections_accepted:rate5m{SERVER} - gateway:connections_handled:rate5m{SERVER}, 0)", "{{target}}")],
                   "count:conn/s", width=6, absent=NO_SERVER),
        timeseries("Requests as nginx counts them", "All servers of the nginx, beside what its log tells of the chosen namespace.",
                   [Query(f"gateway:server_requests:rate5m{SERVER}", "{{target}}"),
                    Query(f"sum(gateway:slo_requests:rate5m{LOGS})", "from the log")], "reqps",
                   width=6, absent=NO_SERVER),
        states("Answering", "Whether nginx answers any instance of Sidelight that watches it.",
               [Query(f'sidelight:collector_up:max{selector("cluster", "target", collector="nginx")}', "{{target}}")], UP_TEXTS, width=6,
               links=runbook("GatewayDown"), absent=NO_SERVER),
    ]
