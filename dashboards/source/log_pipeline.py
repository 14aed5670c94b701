"""Log pipeline: the fleet of sidecars: do logs arrive, how late, and what is lost on the way."""

from . import limits
from .dashboard import Choice, Dashboard
from .grafana import Column, Query, Row, Thresholds, in_color, reference_line, stat, states, table, timeseries, value_texts
from .shared import ANSWERS, CLUSTER, EVENTS_A_SECOND, NAMESPACE, POD, UP_TEXTS, annotations, kibana, objective, runbook, selector, target_choice, to_dashboard, to_sidecar

FLEET = selector("cluster", "output")
PODS = selector("cluster", "output", "namespace", "pod")
STORE = selector("cluster", "target")
BY_POD = {"cluster": "Cluster", "output": "Output", "namespace": "Namespace", "pod": "Pod", "instance": "Instance"}
POD_NAME = "{{pod}} {{instance}}"
NONE = "No log is shipped"
NO_STORE = "No log store is watched (collectors.elasticsearch)"
NO_RELAY = "No Logstash is watched (collectors.logstash)"
BAD_ABOVE_0 = Thresholds(((None, "green"), (1, "red")))
SIDECAR = to_sidecar("${__field.labels.instance}")


def dashboard():
    return Dashboard(
        uid="sidelight-log-pipeline",
        title="Log pipeline",
        description="All sidecars together: throughput, lag, retries, dead letters, lost bytes and memory; then the pods that are worst, "
                    "then the store.",
        variables=[CLUSTER, Choice("output", "Output", "label_values(sidelight:instances:count{cluster=~\"$cluster\"}, output)"), NAMESPACE, POD,
                   target_choice("elasticsearch|logstash", "Log store")],
        annotations=annotations("logs|log-store|sidecar", PODS, "cluster, namespace"),
        links=[kibana("sidelight-errors", "Logs: errors by service")],
        items=[*_now(), *_throughput(), *_trouble(), *_pods(), *_store()],
    )


def _over_time(record):
    """What a recorded rate made up over the time shown."""
    return Query(f"sum(avg_over_time({record}{FLEET}[$__range])) * $__range_s", instant=True)


def _now():
    return [
        Row("The fleet now"),
        stat("Sidecars", "Instances of Sidelight with an output.", [Query(f"sum(sidelight:instances:count{FLEET})")], "short",
             links=runbook("SidelightDown", "SidelightMissing"), absent=NONE),
        stat("Outputs down", "Instances whose destination cannot be reached or refuses everything.",
             [Query(f"sum(sidelight:outputs_down:count{FLEET})")],
             "short", thresholds=BAD_ABOVE_0, links=runbook("LogOutputDown", "LogDeliveryStopped"), absent=NONE),
        stat("Late by", "Age of the oldest line that is not delivered yet.", [Query(f"max(sidelight:input_lag_seconds:max{PODS})")], "s",
             thresholds=limits.LOG_LAG.thresholds(), links=runbook("LogLagHigh"), absent=NONE),
        stat("Waiting", "Bytes of log that are not delivered yet; files are the buffer.", [Query(f"sum(sidelight:input_lag_bytes:sum{FLEET})")],
             "bytes", links=runbook("LogLagHigh"), absent=NONE),
        stat("Lost", "Bytes that were gone before they could be read, over the time shown.", [_over_time("sidelight:lost_bytes:rate5m")], "bytes",
             thresholds=BAD_ABOVE_0, decimals=0, links=runbook("LogBytesLost"), absent=NONE),
        stat("Dead letters", "Events that the destination refused for good, over the time shown; the sidecars keep them.",
             [_over_time("sidelight:dead_lettered_events:rate5m")], "short", thresholds=Thresholds(((None, "green"), (1, "yellow"))), decimals=0,
             links=runbook("LogEventsDeadLettered"), absent=NONE),
    ]


def _throughput():
    return [
        Row("Throughput"),
        timeseries("Bytes", "Read from files, and acknowledged as documents before compression.",
                   [Query(f"sum(sidelight:read_bytes:rate5m{FLEET})", "read"), Query(f"sum(sidelight:shipped_bytes:rate5m{FLEET})", "acknowledged")],
                   "Bps", absent=NONE),
        timeseries("Events", "Made of the lines that were read, acknowledged by the destination, dropped by choice.",
                   [Query(f"sum(sidelight:read_events:rate5m{FLEET})", "read"), Query(f"sum(sidelight:shipped_events:rate5m{FLEET})", "acknowledged"),
                    Query(f"sum by (reason) (sidelight:dropped_events:rate5m{FLEET})", "dropped: {{reason}}")], EVENTS_A_SECOND, absent=NONE),
        timeseries("Requests to the destination", "By status; none: no answer.",
                   [Query(f"sum by (code) (sidelight:output_requests:rate5m{FLEET})", "{{code}}")],
                   "reqps", stack=True, overrides=[*ANSWERS],
                   links=runbook("LogOutputDown"), absent=NONE),
    ]


def _trouble():
    return [
        Row("Trouble"),
        timeseries("Sent again", "Events that had to be sent again, by reason.",
                   [Query(f"sum by (reason) (sidelight:retried_events:rate5m{FLEET})", "{{reason}}")],
                   EVENTS_A_SECOND, stack=True, links=runbook("LogOutputDown", "LogStoreRejections"), absent=NONE),
        timeseries("Refused for good", "Events that went to the dead letters, by reason.",
                   [Query(f"sum by (reason) (sidelight:dead_lettered_events:rate5m{FLEET})", "{{reason}}")], EVENTS_A_SECOND, stack=True,
                   links=runbook("LogEventsDeadLettered"), absent=NONE),
        timeseries("Lost by reason", "Bytes that were gone before they could be read.",
                   [Query(f"sum by (reason) (sidelight:lost_bytes:rate5m{FLEET})", "{{reason}}")],
                   "Bps", stack=True, links=runbook("LogBytesLost"), absent=NONE),
        timeseries("Not in their format", "Events whose format, container wrapping or time cannot be read; they are shipped all the same, and marked.",
                   [Query(f"sum(sidelight:parse_errors:rate5m{FLEET})", "events")], EVENTS_A_SECOND, absent=NONE),
        timeseries("Waiting bytes", "Bytes in files that are not delivered yet.",
                   [Query(f"sum by (cluster, output) (sidelight:input_lag_bytes:sum{FLEET})",
                                                                                  "waiting {{output}}")], "bytes",
                                                                                  links=runbook("LogLagHigh"), absent=NONE),
        timeseries("Outputs that are down", "Of how many that ship.",
                   [Query(f"sum(sidelight:outputs_down:count{FLEET})", "down"), Query(f"sum(sidelight:instances:count{FLEET})", "all")], "short",
                   overrides=[in_color("/^down$/", "red"), reference_line("/^all$/", "text")], links=runbook("LogDeliveryStopped"), absent=NONE),
    ]


def _pods():
    worst = f"and on ({', '.join(BY_POD)}) topk(50, sidelight:input_lag_seconds:max{PODS})"

    def column(title, expr, unit, thresholds=None, decimals=None, mappings=()):
        return Column(title, f"{expr} {worst}", unit, thresholds, decimals, mappings)

    def per_pod(inner):
        return f"sum by ({', '.join(BY_POD)}) ({inner})"

    return [
        Row("Pods (of the chosen namespaces)"),
        table("Pods that are latest", "The fifty instances with the oldest undelivered line. The pod leads to its sidecar. Paused: inputs; unreadable: files that it "
              "may not read.", BY_POD, [
            column("Late by", per_pod(f"sidelight:input_lag_seconds:max{PODS}"), "s", limits.LOG_LAG.thresholds()),
            column("Waiting", per_pod(f"sidelight_input_lag_bytes{PODS}"), "bytes"),
            column("State", per_pod(f"sidelight_output_up{PODS}"), "short", mappings=tuple(value_texts(UP_TEXTS))),
            column("Read", per_pod(f"rate(sidelight_read_bytes_total{PODS}[5m])"), "Bps"),
            column("Acked", per_pod(f"rate(sidelight_shipped_events_total{PODS}[5m])"), EVENTS_A_SECOND, decimals=1),
            column("Memory", per_pod(f"sidelight:memory_used_ratio:max{PODS}"), "percentunit", limits.MEMORY_BUDGET.thresholds(), decimals=0),
            column("Paused", per_pod(f"sidelight_input_paused{PODS}"), "short"),
            column("Unreadable", per_pod(f"sidelight_files_unreadable{PODS}"), "short"),
        ], height=9, sort="Late by", wide={"Pod": 210, "Instance": 140}, absent=NONE, links=runbook("LogLagHigh", "LogInputPaused", "LogFilesUnreadable"),
            cell_links=dict.fromkeys(("Pod", "Instance"), to_sidecar("${__data.fields.instance}"))),
        timeseries("Latest pods", "Age of the oldest undelivered line, of the ten instances that are latest, and the strictest objective "
                   "(log_lag_seconds_objective).",
                   [Query(f"topk(10, sidelight:input_lag_seconds:max{PODS})", POD_NAME), objective(limits.LOG_LAG, PODS)], "s",
                   thresholds=limits.LOG_LAG.thresholds(), overrides=[reference_line("/^objective$/")],
                   links=[*runbook("LogLagHigh"), SIDECAR], absent=NONE),
        timeseries("Memory of the budget",
                   "Log data held in memory, as a share of the budget, of the ten instances with most. Reading stops at 100 %.",
                   [Query(f"topk(10, sidelight:memory_used_ratio:max{PODS})", POD_NAME)], "percentunit", maximum=1,
                   thresholds=limits.MEMORY_BUDGET.thresholds(line=True),
                   links=[*runbook("SidelightNearMemoryBudget"), SIDECAR],
                   absent=NONE),
        timeseries("Resident memory", "Of the whole process, of the ten instances with most.",
                   [Query(f"topk(10, process_resident_memory_bytes{PODS} and on (cluster, instance, job) sidelight_output_up{PODS})", POD_NAME)],
                   "bytes", links=[SIDECAR], absent="No sidecar"),
        timeseries("Why outputs are down", "Instances by the cause that keeps their output down now.",
                   [Query(f"sum by (cause) (sidelight_output_down_cause{PODS})", "{{cause}}")], "short",
                   links=runbook("LogOutputDown", "LogDeliveryStopped"),
                   absent="None was down"),
        timeseries("Ids in conflict, duplicates",
                   "Conflicts: refused as already present though never sent; should stay 0. Duplicates: offered again after a restart, "
                   "not stored twice.",
                   [Query(f"sum(rate(sidelight_id_conflicts_total{PODS}[5m]))", "conflicts"),
                    Query(f"sum(rate(sidelight_duplicate_events_total{PODS}[5m]))", "duplicates")],
                   EVENTS_A_SECOND, overrides=[in_color("/conflicts/", "red")], links=runbook("LogIdConflicts"), absent=NONE),
        timeseries("Checkpoints that fail", "Checkpoints that could not be written; tried again.",
                   [Query(f"sum(rate(sidelight_checkpoint_write_errors_total{PODS}[5m]))", "failed")], EVENTS_A_SECOND, links=runbook("LogCheckpointFailing"),
                   absent=NONE),
    ]


def _store():
    return [
        Row("Log store and relay"),
        states("Health of the store", "As Elasticsearch or OpenSearch sees itself.",
               [Query(f"sum by (cluster, target) (log_store:status:max{selector('cluster', 'target', status='yellow')}) + "
                      f"2 * sum by (cluster, target) (log_store:status:max{selector('cluster', 'target', status='red')})", "{{target}}")],
               {0: ("green", "green"), 1: ("yellow", "yellow"), 2: ("red", "red")}, width=8, links=runbook("LogStoreRed"), absent=NO_STORE),
        timeseries("Rejections", "Requests that the store rejected because a queue was full, by pool.",
                   [Query(f"sum by (cluster, target, pool) (log_store:rejections:rate5m{STORE})", "{{pool}} ({{target}})")], "ops",
                   links=runbook("LogStoreRejections"),
                   absent=NO_STORE),
        timeseries("Queues of the store", "Requests that wait in the store, by node and pool.",
                   [Query(f"log_store:queue:max{STORE}", "{{pool}} {{node}} ({{target}})")], "short",
                   links=runbook("LogStoreRejections"), absent=NO_STORE),
        timeseries("Disk used", "Used share of each node's disk, and the objective (log_store_disk_used_ratio_objective).",
                   [Query(f"log_store:disk_used_ratio:max{STORE}", "{{node}} ({{target}})"), objective(limits.STORE_DISK, STORE)], "percentunit",
                   maximum=1, thresholds=limits.STORE_DISK.thresholds(), overrides=[reference_line("/^objective$/")],
                   links=[*runbook("LogStoreDiskFilling", "LogStoreDiskFlooded"), to_dashboard("capacity", "Capacity")], absent=NO_STORE),
        timeseries("Heap", "Used share of the heap of each node, and of Logstash.",
                   [Query(f"log_store:heap_used_ratio:max{STORE}", "{{node}} ({{target}})"),
                    Query(f"log_relay:heap_used_ratio:max{STORE}", "Logstash {{target}}")],
                   "percentunit", maximum=1, absent=NO_STORE),
        timeseries("Shards and nodes", "Shards by state, and nodes of the store.",
                   [Query(f"log_store:shards:max{STORE}", "{{state}} ({{target}})"), Query(f"log_store:nodes:max{STORE}", "nodes ({{target}})")],
                   "short", links=runbook("LogStoreRed"), absent=NO_STORE),
        timeseries("Logstash: events", "Events by pipeline: in, after the filters, out.",
                   [Query(f"log_relay:events:rate5m{STORE}", "{{direction}} {{pipeline}} ({{target}})")], EVENTS_A_SECOND, absent=NO_RELAY),
        timeseries("Logstash: queue", "Used share of each pipeline's persistent queue. From the dashed line on a ticket is made.",
                   [Query(f"log_relay:queue_used_ratio:max{STORE}", "{{pipeline}} ({{target}})")], "percentunit", maximum=1,
                   thresholds=limits.RELAY_QUEUE.thresholds(line=True), links=runbook("LogRelayQueueFilling"), absent=NO_RELAY),
        timeseries("Logstash: events in queue, reloads", "Events that wait in each pipeline, and reloads of its configuration a second.",
                   [Query(f"log_relay:queue_events:max{STORE}", "waiting {{pipeline}} ({{target}})"),
                    Query(f"log_relay:reloads:rate5m{STORE}", "reload {{result}} {{pipeline}} ({{target}})")], "short", absent=NO_RELAY),
        table("Versions of the store", "What runs where.",
              {"cluster": "Cluster", "target": "Store", "distribution": "Distribution", "version": "Version"},
              [Column("Known", f"max by (cluster, target, distribution, version) (log_store_info{STORE})", "short")], height=5, hide=("Value",), absent=NO_STORE),
    ]
