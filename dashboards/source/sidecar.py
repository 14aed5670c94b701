"""Sidecar: one instance of Sidelight in depth: what it reads, ships and watches, what it costs, and the pod beside it."""

from . import limits
from .dashboard import Choice, Dashboard
from .grafana import NEUTRAL, Column, Query, Row, Thresholds, in_color, on_right_axis, reference_line, stat, states, table, timeseries, value_texts
from .shared import ANSWERS, CLUSTER, EVENTS_A_SECOND, NAMESPACE, POD, UP_TEXTS, annotations, kibana, runbook, selector

ONE = selector("cluster", "namespace", "pod", "instance")
RATE = "[$__rate_interval]"
NO_OUTPUT = "This instance ships no logs"
NO_TARGET = "This instance watches no target"
NO_POD = "This instance does not watch its pod (collectors.process)"
NO_LOG_METRICS = "This instance makes no metrics from logs (log_metrics)"
BAD_ABOVE_0 = Thresholds(((None, "green"), (1, "red")))


def per_second(metric, by="", legend=""):
    # Addresses of pods, of which the label instance is made, may be alike in two clusters.
    grouping = f"cluster, {by}" if by else "cluster"
    return Query(f"sum by ({grouping}) (rate({metric}{ONE}{RATE}))", legend or " ".join(f"{{{{{b.strip()}}}}}" for b in by.split(",")))


def value(metric, legend):
    return Query(f"{metric}{ONE}", legend)


def quantile(metric, share):
    # Of nothing it is NaN, which would be a panel with lines that nobody sees.
    return Query(f"histogram_quantile({share}, sum by (cluster, le) (rate({metric}_bucket{ONE}{RATE}))) >= 0", f"{share * 100:g} of 100")


def dashboard():
    return Dashboard(
        uid="sidelight-sidecar",
        title="Sidecar",
        description="One instance of Sidelight: configuration, inputs, output, checkpoint, collectors, metrics from logs, its own cost and its pod.",
        variables=[CLUSTER, NAMESPACE, POD,
                   Choice("instance", "Instance", f"label_values(sidelight_build_info{selector('cluster', 'namespace', 'pod')}, instance)",
                          one=True),
                   # For the link to its logs: `pod` may be All or several.
                   Choice("pod_of_instance", "Pod of the instance", f"label_values(sidelight_build_info{ONE}, pod)", one=True, hidden=True)],
        annotations=annotations("logs|sidecar", ONE, "cluster, namespace, pod"),
        links=[kibana("sidelight-pod", "Logs of the pod", 'kubernetes.pod.name : "${pod_of_instance}"')],
        items=[*_now(), *_inputs(), *_output(), *_checkpoint(), *_collectors(), *_log_metrics(), *_cost(), *_pod()],
    )


def _now():
    return [
        Row("Now"),
        stat("Output", "Whether the destination takes what is sent.", [Query(f"min(sidelight_output_up{ONE})")], "short", graph=False,
             mappings=value_texts(UP_TEXTS), thresholds=Thresholds(((None, "red"), (1, "green"))), links=runbook("LogOutputDown"), absent=NO_OUTPUT),
        stat("Configuration", "Whether the newest configuration is in force; if not, an older one is running and the own log says why.",
             [Query(f"min(sidelight_config_last_reload_successful{ONE})")], "short", graph=False,
             mappings=value_texts({1: ("in force", "green"), 0: ("refused", "red")}), thresholds=Thresholds(((None, "red"), (1, "green"))),
             links=runbook("SidelightConfigRejected"), absent="No such instance"),
        stat("Late by", "Age of the oldest line that is not delivered yet.", [Query(f"max(sidelight_input_lag_seconds{ONE})")], "s",
             thresholds=limits.LOG_LAG.thresholds(), links=runbook("LogLagHigh"), absent=NO_OUTPUT),
        stat("Memory budget", "Log data held in memory, as a share of the budget. Reading stops at 100 %.",
             [Query(f"max(sidelight_in_flight_bytes{ONE} / (sidelight_memory_budget_bytes{ONE} > 0))")], "percentunit", decimals=0,
             thresholds=limits.MEMORY_BUDGET.thresholds(), links=runbook("SidelightNearMemoryBudget"), absent=NO_OUTPUT),
        stat("Targets silent", "Targets whose last run failed, seen from this instance alone.",
             [Query(f"count(sidelight_collector_up{ONE} == 0) or 0 * count(sidelight_collector_up{ONE})")], "short", thresholds=BAD_ABOVE_0,
             links=runbook("CollectorDown", "CollectorStale"), absent=NO_TARGET),
        stat("Up since", "When the program started.",
             [Query(f"max(process_start_time_seconds{ONE} and on (cluster, instance, job) sidelight_build_info{ONE}) * 1000")],
             "dateTimeFromNow", graph=False, links=runbook("SidelightDown", "SidelightMissing"), absent="No such instance"),
    ]


def _inputs():
    return [
        Row("Inputs"),
        timeseries("Read", "Bytes of each input.", [per_second("sidelight_read_bytes_total", "input")], "Bps", absent=NO_OUTPUT),
        timeseries("Lines and events", "Several lines make one event with multiline.",
                   [per_second("sidelight_read_lines_total", legend="lines"), per_second("sidelight_read_events_total", legend="events")], EVENTS_A_SECOND,
                   absent=NO_OUTPUT),
        timeseries("Late", "Age of the oldest undelivered line of each input.", [value("sidelight_input_lag_seconds", "{{input}}"),
                                                                                 Query(f"min(sidelight:log_lag_seconds:objective{ONE})",
                                                                                       "objective")], "s",
                   thresholds=limits.LOG_LAG.thresholds(), overrides=[reference_line("/^objective$/")], links=runbook("LogLagHigh"),
                   absent=NO_OUTPUT),
        timeseries("Waiting bytes", "Bytes in the files of each input that are not delivered yet.",
                   [value("sidelight_input_lag_bytes", "{{input}}")], "bytes",
                   links=runbook("LogLagHigh"), absent=NO_OUTPUT),
        timeseries("Lost, held", "Bytes lost, by reason, a second; bytes of deleted files that are held open until they are read.",
                   [per_second("sidelight_lost_bytes_total", "reason", "lost: {{reason}}"), value("sidelight_deleted_files_held_bytes", "held")],
                   "Bps", overrides=[on_right_axis("/^held$/", "bytes")], links=runbook("LogBytesLost"), absent=NO_OUTPUT),
        timeseries("Dropped, cut, not in their format", "Events dropped by choice, cut at the size limit, or shipped though their format, wrapping or time cannot be read.",
                   [per_second("sidelight_dropped_events_total", "reason", "dropped: {{reason}}"),
                    per_second("sidelight_truncated_events_total", legend="cut"),
                    per_second("sidelight_parse_errors_total", legend="not in their format")], EVENTS_A_SECOND, absent=NO_OUTPUT),
        timeseries("Files", "Known, open, unreadable and ignored log files, and how many the paths of each input match: with none, a path may be wrong.",
                   [value("sidelight_files_tracked", "known"), value("sidelight_files_open", "open"),
                    value("sidelight_files_unreadable", "unreadable"),
                    value("sidelight_files_ignored", "ignored"), value("sidelight_input_files", "match: {{input}}")], "short",
                   overrides=[in_color("/unreadable|ignored/", "red")], links=runbook("LogFilesUnreadable"), absent=NO_OUTPUT),
        timeseries("Rotations, read errors", "Rotations followed by kind, reads that failed, waits for a free descriptor.",
                   [per_second("sidelight_rotations_total", "kind"), per_second("sidelight_read_errors_total", legend="read errors"),
                    per_second("sidelight_descriptor_limit_hits_total", legend="waits for a descriptor")], "ops", absent=NO_OUTPUT),
        timeseries("Paused, polled, over the cap",
                   "Inputs paused because dead letters are full; 1 while directories are polled for want of notifications; "
                   "inputs without series of their own; bytes cut off events.",
                   [Query(f"sum by (cluster, reason) (sidelight_input_paused{ONE})", "paused: {{reason}}"), value("sidelight_watch_polling", "polling"),
                    value("sidelight_inputs_over_cap", "over the cap"), per_second("sidelight_truncated_bytes_total", legend="bytes cut a second")],
                    "short",
                   links=runbook("LogInputPaused"), absent=NO_OUTPUT),
    ]


def _output():
    return [
        Row("Output"),
        timeseries("Acknowledged", "Events and bytes of documents (before compression) that the destination acknowledged.",
                   [per_second("sidelight_shipped_events_total", legend="events"), per_second("sidelight_shipped_bytes_total", legend="bytes")],
                   EVENTS_A_SECOND, overrides=[on_right_axis("/^bytes$/", "Bps")], absent=NO_OUTPUT),
        timeseries("Requests by status", "none: no answer.", [per_second("sidelight_output_requests_total", "code")], "reqps", stack=True,
                   overrides=[*ANSWERS], links=runbook("LogOutputDown"),
                   absent=NO_OUTPUT),
        timeseries("Duration of requests", "50 and 99 of 100 requests are answered within this time.",
                   [quantile("sidelight_output_request_duration_seconds", 0.5), quantile("sidelight_output_request_duration_seconds", 0.99)], "s",
                   absent="No request"),
        timeseries("From reading to acknowledgement", "50 and 99 of 100 batches are acknowledged within this time after their first event.",
                   [quantile("sidelight_batch_latency_seconds", 0.5), quantile("sidelight_batch_latency_seconds", 0.99)], "s", absent="No batch"),
        timeseries("Requests in flight", "Sent and not answered, and how many may be: the limit follows the destination's load.",
                   [value("sidelight_output_requests_in_flight", "in flight"), value("sidelight_output_concurrency_limit", "limit")], "short",
                   overrides=[reference_line("/^limit$/")], absent=NO_OUTPUT),
        timeseries("Sent bytes", "Request bodies after compression, and bodies in flight before it.",
                   [per_second("sidelight_output_request_bytes_total", legend="sent"), value("sidelight_output_in_flight_bytes", "in flight")], "Bps",
                   overrides=[on_right_axis("/in flight/", "bytes")], absent=NO_OUTPUT),
        timeseries("Sent again, by reason", "Events that had to be sent again.", [per_second("sidelight_retried_events_total", "reason")], EVENTS_A_SECOND,
                   stack=True, absent=NO_OUTPUT),
        timeseries("Dead letters", "Events refused for good, by reason; dropped: from full dead letters.",
                   [per_second("sidelight_dead_lettered_events_total", "reason"),
                    per_second("sidelight_dead_letters_dropped_events_total", legend="dropped")],
                   EVENTS_A_SECOND, links=runbook("LogEventsDeadLettered"), absent=NO_OUTPUT),
        timeseries("Why the output is down", "1 for the cause that keeps it down now; ids: documents offered again, and in conflict.",
                   [value("sidelight_output_down_cause", "{{cause}}"), per_second("sidelight_duplicate_events_total", legend="ids: again"),
                    per_second("sidelight_id_conflicts_total", legend="ids: in conflict")], "short", links=runbook("LogOutputDown", "LogIdConflicts"),
                   absent=NO_OUTPUT),
    ]


def _checkpoint():
    return [
        Row("Checkpoint"),
        timeseries("Age of the checkpoint", "Since the checkpoint on disk was last known to be current.",
                   [value("sidelight_checkpoint_age_seconds", "age")],
                   "s", links=runbook("LogCheckpointFailing"), absent=NO_OUTPUT),
        timeseries("Checkpoints written", "And those that could not be written or read.",
                   [per_second("sidelight_checkpoint_commits_total", legend="written"),
                    per_second("sidelight_checkpoint_write_errors_total", legend="failed"),
                    value("sidelight_checkpoint_damaged_total", "damaged, since the start")], "ops", overrides=[in_color("/failed|damaged/", "red")],
                   links=runbook("LogCheckpointFailing"), absent=NO_OUTPUT),
        timeseries("Size of the checkpoint", "On disk, and how many files it knows.",
                   [value("sidelight_checkpoint_size_bytes", "size"), value("sidelight_checkpoint_files", "files")], "bytes",
                   overrides=[on_right_axis("/^files$/", "short")], absent=NO_OUTPUT),
    ]


def _collectors():
    by = {"cluster": "Cluster", "collector": "Collector", "target": "Target"}
    labels = ", ".join(by)
    return [
        Row("Collectors"),
        table("Targets of this instance", "Stale: values shown are those of an earlier run, or gone.", by, [
            Column("State", f"max by ({labels}) (sidelight_collector_up{ONE})", "short", mappings=tuple(value_texts(UP_TEXTS))),
            Column("Stale", f"max by ({labels}) (sidelight_collector_stale{ONE})", "short",
                   mappings=tuple(value_texts({1: ("stale", "orange"), 0: ("no", "green")}))),
            Column("Last success", f"max by ({labels}) (sidelight_collector_last_success_timestamp_seconds{ONE}) * 1000", "dateTimeFromNow"),
            Column("Duration", f"max by ({labels}) (sidelight_collector_duration_seconds{ONE})", "s"),
        ], width=12, height=11, wide={"Collector": 96, "Target": 120}, links=runbook("CollectorDown", "CollectorStale"), absent=NO_TARGET),
        timeseries("Runs", "Of all targets by result, and the targets whose runs fail.",
                   [per_second("sidelight_collector_runs_total", "result"),
                    Query(f'sum by (cluster, collector, target, result) (rate(sidelight_collector_runs_total{{{ONE[1:-1]}, result!="success"}}{RATE})) > 0',
                          "{{result}}: {{collector}} {{target}}")], "ops",
                   width=6, height=11, overrides=[in_color("/^success$/", "green"), in_color("/^(failure|timeout)$/", "red")],
                   links=runbook("CollectorDown"), absent=NO_TARGET),
        timeseries("Series left out", "Since a metric was at its cap, a second.",
                   [per_second("sidelight_collector_series_dropped_total", "collector, target")], "count:series/s",
                   width=6, height=11, absent=NO_TARGET),
        timeseries("Duration of runs", "Of all who watch a target, the slowest.",
                   [Query("sidelight:collector_duration_seconds:max{cluster=~\"$cluster\"}", "{{collector}} {{target}}")], "s",
                   links=runbook("CollectorStale"),
                   absent=NO_TARGET),
        timeseries("Since the last success", "Of all who watch a target, the latest success.",
                   [Query("time() - sidelight:collector_last_success_timestamp_seconds:max{cluster=~\"$cluster\"}", "{{collector}} {{target}}")], "s",
                   links=runbook("CollectorDown"), absent=NO_TARGET),
        states("Stale for everybody", "A target is stale only where all who watch it say so; and how runs end.",
               [Query("sidelight:collector_stale:min{cluster=~\"$cluster\"}", "{{collector}} {{target}}")],
               {0: ("fresh", "green"), 1: ("stale", "orange")}, width=8, links=runbook("CollectorStale"), absent=NO_TARGET),
    ]


def _log_metrics():
    return [
        Row("Metrics from logs"),
        timeseries("Events counted", "Events of which metrics were made, and those older than five minutes, which count only as late.",
                   [per_second("sidelight_log_metrics_events_total", "input"),
                    per_second("sidelight_log_metrics_late_events_total", legend="late, of all inputs")],
                   EVENTS_A_SECOND, absent=NO_LOG_METRICS),
        timeseries("Not counted yet", "Bytes of log that metrics have not seen yet; it has a cursor of its own.",
                   [value("sidelight_log_metrics_lag_bytes", "{{input}}")], "bytes", absent=NO_LOG_METRICS),
        timeseries("Series made from logs", "And those over the cap, a second.",
                   [value("sidelight_log_metrics_series", "series"),
                    per_second("sidelight_log_metrics_series_dropped_total", legend="over the cap")], "short",
                   absent=NO_LOG_METRICS),
    ]


def _cost():
    return [
        Row("What Sidelight costs"),
        timeseries("CPU", "Of the whole program, as a share of one core.", [per_second("process_cpu_seconds_total", legend="CPU")], "percentunit",
                   width=6, absent="No such instance"),
        timeseries("Memory", "Resident, virtual; log data in flight and its budget.",
                   [value("process_resident_memory_bytes", "resident"), value("process_virtual_memory_bytes", "virtual"),
                    value("sidelight_in_flight_bytes", "in flight"), value("sidelight_memory_budget_bytes", "budget")], "bytes", width=6,
                   overrides=[reference_line("/^budget$/"), on_right_axis("/^virtual$/", "bytes")], links=runbook("SidelightNearMemoryBudget"),
                   absent="No such instance"),
        timeseries("Descriptors and threads", "Open descriptors, their limit, and threads.",
                   [value("process_open_fds", "open"), value("process_max_fds", "limit"), value("process_threads", "threads")], "short", width=6,
                   overrides=[reference_line("/^limit$/"), on_right_axis("/^limit$/", "short")], absent="No such instance"),
        timeseries("Own port", "Answers by status class, connections, and those closed to make room.",
                   [per_second("sidelight_http_responses_total", "code"), value("sidelight_http_connections", "connections"),
                    per_second("sidelight_http_connections_evicted_total", legend="closed early")], "reqps", width=6,
                   overrides=[on_right_axis("/connections/", "short")], absent="No such instance"),
        timeseries("Configurations taken", "Attempts by result, over five minutes; and when the one in force was taken.",
                   [Query(f"sum by (cluster, result) (increase(sidelight_config_reloads_total{ONE}[5m]))", "{{result}}")], "short", width=12,
                   overrides=[in_color("/failure/", "red")], links=runbook("SidelightConfigRejected"), absent="No such instance"),
        table("Version", "Of the program, and when it took its configuration.", {"cluster": "Cluster", "version": "Version", "instance": "Instance"},
              [Column("Configuration taken", f"max by (cluster, version, instance) (sidelight_build_info{ONE} * on (cluster, instance, job) group_left () "
                      f"(sidelight_config_last_reload_success_timestamp_seconds{ONE} * 1000))", "dateTimeFromNow", NEUTRAL)], width=12,
                      absent="No such instance"),
    ]


def _pod():
    return [
        Row("The pod"),
        timeseries("Pod: CPU", "Used cores by mode, and the limit.",
                   [per_second("pod_cpu_seconds_total", "mode"), value("pod_cpu_limit_cores", "limit")], "short",
                   overrides=[reference_line("/^limit$/")],
                   absent=NO_POD),
        timeseries("Pod: throttled", "Share of scheduler periods in which the pod was throttled, and cores that it was denied.",
                   [Query(f"sum by (cluster) (rate(pod_cpu_throttled_periods_total{ONE}{RATE})) "
                          f"/ (sum by (cluster) (rate(pod_cpu_periods_total{ONE}{RATE})) > 0)", "periods"),
                    per_second("pod_cpu_throttled_seconds_total", legend="seconds a second")], "percentunit",
                    overrides=[on_right_axis("/seconds/", "short")],
                   absent=NO_POD),
        timeseries("Pod: memory", "In use, the working set that the kernel cannot give back, and the limit.",
                   [value("pod_memory_bytes", "in use"), value("pod_memory_working_set_bytes", "working set"),
                    value("pod_memory_limit_bytes", "limit")], "bytes",
                   overrides=[reference_line("/^limit$/")], absent=NO_POD),
        timeseries("Pod: pressure", "Share of time in which some, or all, of its processes waited for a resource.",
                   [per_second("pod_pressure_seconds_total", "resource, kind")], "percentunit", absent=NO_POD),
        timeseries("Processes: CPU", "Cores of each process of the pod.", [per_second("pod_process_cpu_seconds_total", "process")], "short",
                   absent=NO_POD),
        timeseries("Processes: memory", "Resident memory of each process of the pod.", [value("pod_process_resident_memory_bytes", "{{process}}")],
                   "bytes", absent=NO_POD),
        timeseries("Processes: descriptors", "Open descriptors of each process of the pod.", [value("pod_process_open_fds", "{{process}}")], "short",
                   width=12, absent=NO_POD),
        timeseries("Processes, killed", "Processes of the pod, and how many the kernel killed for want of memory.",
                   [value("pod_processes", "processes"), value("pod_memory_oom_kills_total", "killed, since the start")], "short", width=12,
                   overrides=[in_color("/killed/", "red")], absent=NO_POD),
    ]
