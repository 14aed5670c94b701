"""What our dashboards share: label choices, expressions, links and annotations."""

from .dashboard import Choice, Moments
from .grafana import Link, Query, in_color, reference_line
from .kibana import QUERIES

CLUSTER = Choice("cluster", "Cluster", "label_values(sidelight_build_info, cluster)")
NAMESPACE = Choice("namespace", "Namespace", 'label_values(sidelight_build_info{cluster=~"$cluster"}, namespace)')
POD = Choice("pod", "Pod", 'label_values(sidelight_build_info{cluster=~"$cluster", namespace=~"$namespace"}, pod)')

DASHBOARDS = {
    "overview": "sidelight-overview", "queue": "sidelight-mes-queue", "price": "sidelight-price-cache",
    "logs": "sidelight-log-pipeline", "database": "sidelight-mes-database", "gateway": "sidelight-gateway",
    "capacity": "sidelight-capacity", "sidecar": "sidelight-sidecar",
}


def target_choice(collectors, label="Target"):
    """The targets that collectors of these kinds (a regular expression) watch."""
    return Choice("target", label,
                  f'label_values(sidelight:collector_up:max{{cluster=~"$cluster", collector=~"{collectors}"}}, target)')


def service_namespace_choice(metric):
    """The namespaces of the pods whose logs gave `metric`."""
    return Choice("namespace", "Namespace", f'label_values({metric}{{cluster=~"$cluster"}}, namespace)')


def selector(*labels, **fixed):
    """Matchers of the variables `labels`, then fixed ones: selector("cluster", status_class="5xx")."""
    parts = [f'{label}=~"${label}"' for label in labels]
    for label, value in fixed.items():
        operator = "=~" if "|" in value or ".*" in value or ".+" in value else "="
        parts.append(f'{label}{operator}"{value}"')
    return "{" + ", ".join(parts) + "}"


def objective(limit, choose, legend="objective"):
    """The objective of `limit` as a line to compare with; pair it with OBJECTIVE_LINE."""
    return Query(f"min({limit.record}{choose})" if not limit.below else f"max({limit.record}{choose})", legend)


OBJECTIVE_LINE = reference_line("/objective/")


def named(expr, label, text):
    """`expr` where a missing `label` says `text`: Grafana calls a series with an empty legend "Value"."""
    return f'label_replace({expr}, "{label}", "{text}", "{label}", "")'


def runbook(*alerts, data=False):
    """To the runbooks of the alerts that watch what a panel shows: an icon on its title, or (`data`, where a title has no room for an
    icon) in the menu of its value."""
    return [Link(f"Runbook: {alert}", f"${{runbooks}}/{alert}.md", data=data, new_tab=True) for alert in alerts]


def to_dashboard(name, title, **variables):
    """A click on a value leads to another dashboard, at the same time; e.g. target="${__field.labels.target}"."""
    chosen = "".join(f"&var-{key}={value}" for key, value in variables.items())
    return Link(title, f"/d/{DASHBOARDS[name]}?${{datasource:queryparam}}&${{cluster:queryparam}}{chosen}&${{__url_time_range}}",
                data=True)


def to_sidecar(instance):
    """To one instance, e.g. "${__field.labels.instance}". It alone is passed: a label that a series does not have, as namespace and pod
    outside of Kubernetes, would be passed by its placeholder, which matches nothing. Not passed, they are All there."""
    return to_dashboard("sidecar", "Sidecar", instance=instance)


SERVICE_ERRORS = 'service.name : "${__field.labels.service_name}"'
_KIBANA_TIME = "_g=(time:(from:'${__from:date:iso}',to:'${__to:date:iso}'))"


def kibana(search, title, kuery="", data=False):
    """A saved search of kibana/sidelight.ndjson, at the time that is shown, narrowed by `kuery`.

    A query in the address takes the place of the search's own: what is given is both, or `kuery` alone where the search only asks for
    any value of its field. A variable in it must have one value: All and several are not written as KQL.
    """
    url = f"${{kibana}}/app/discover#/view/{search}?{_KIBANA_TIME}"
    if kuery:
        own = QUERIES[search]
        whole = kuery if own == f"{kuery.partition(' : ')[0]} : *" else f"{own} and {kuery}"
        escaped = whole.replace(" ", "%20").replace('"', "%22")
        url += f"&_a=(query:(language:kuery,query:'{escaped}'))"
    return Link(title, url, data=data, new_tab=True)


def log_links():
    """For the top of a dashboard: its time in Kibana. One trace is that of the variable `trace`."""
    return [kibana("sidelight-errors", "Logs: errors by service"),
            kibana("sidelight-trace", "Logs: one trace", 'trace.id : "${trace}"')]


def annotations(area, choose='{cluster=~"$cluster"}', by="cluster, namespace", tickets=True):
    """Deploys as kube-state-metrics sees them, reloads of Sidelight's configuration, and alerts of `area` (a regular expression).

    Grafana shades the time in which an alert fires. Pages are shaded by name and tickets all together: many shades over each other hide
    the lines. Watchdog, which always fires, is neither.
    """
    def firing(severity):
        return f'ALERTS{{alertstate="firing", severity="{severity}", area=~"{area}", cluster=~"$cluster"}}'

    out = [
        Moments("Deploys (Kubernetes)",
                'max by (cluster, namespace, replicaset) (kube_replicaset_created{cluster=~"$cluster"} > ${__from:date:seconds}) * 1000',
                "purple", "Deploy", "{{namespace}} {{replicaset}}", value_is_time=True),
        Moments("Configuration reloads",
                f"max by ({by}) (sidelight_config_last_reload_success_timestamp_seconds{choose} > ${{__from:date:seconds}}) * 1000",
                "blue", "Sidelight took a configuration", "{{namespace}} {{pod}}", value_is_time=True),
        Moments("Configuration refused", f"min by ({by}) (sidelight_config_last_reload_successful{choose}) == bool 0",
                "orange", "Sidelight refused a configuration", "{{namespace}} {{pod}}"),
    ]
    if tickets:
        out.append(Moments("Alerts (tickets)", f"max by (cluster) ({firing('ticket')})", "yellow", "Tickets fire", "Shop overview lists them"))
    out.append(Moments("Alerts (pages)", f"max by (alertname, cluster, namespace, target) ({firing('page')})", "red", "{{alertname}}",
                       "{{namespace}} {{target}}"))
    return out


# Units: "counts/sec" of Grafana itself is shown as "c/s".
EVENTS_A_SECOND = "count:events/s"
MESSAGES_A_SECOND = "count:msg/s"

# Of a destination, by status: each in a colour of its own.
ANSWERS = (in_color("/^2xx$/", "green"), in_color("/^3xx$/", "blue"), in_color("/^429$/", "yellow"), in_color("/^4xx$/", "orange"),
           in_color("/^5xx$/", "red"), in_color("/^none$/", "purple"))

UP_TEXTS = {1: ("up", "green"), 0: ("down", "red")}
YES_NO_BAD = {1: ("yes", "red"), 0: ("no", "green")}
