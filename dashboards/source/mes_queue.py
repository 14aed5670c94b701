"""MES queue: is work done as fast as it comes in, and if not, since when and why."""

from . import limits
from .dashboard import Choice, Dashboard
from .grafana import NEUTRAL, Column, Query, Row, Thresholds, reference_line, stat, states, table, timeseries, value_texts
from .shared import (CLUSTER, MESSAGES_A_SECOND, OBJECTIVE_LINE, UP_TEXTS, YES_NO_BAD, annotations, kibana, objective, runbook, selector,
                     target_choice)

BROKER = selector("cluster", "target")
QUEUE = selector("cluster", "target", "vhost", "queue")
LEGEND = "{{queue}} ({{target}} {{vhost}})"
NODE = "{{node}} ({{target}})"
BY_QUEUE = {"cluster": "Cluster", "target": "Broker", "vhost": "Vhost", "queue": "Queue"}
NONE_OF_QUEUE = "No such queue"
BAD_ABOVE_0 = Thresholds(((None, "green"), (1, "red")))


def per_queue(name, chosen=QUEUE):
    return f"max by (cluster, target, vhost, queue) ({name}{chosen})"


def series(name, legend=LEGEND, chosen=QUEUE):
    return Query(f"{name}{chosen}", legend)


def dashboard():
    return Dashboard(
        uid="sidelight-mes-queue",
        title="MES queue",
        description="RabbitMQ as the MES uses it: backlog, time to drain, age of the oldest message, consumers, dead letters, "
                    "the broker's alarms.",
        variables=[
            CLUSTER, target_choice("rabbitmq"),
            Choice("vhost", "Vhost", f"label_values(mes:queue_depth:max{BROKER}, vhost)"),
            Choice("queue", "Queue", 'label_values(mes:queue_depth:max{cluster=~"$cluster", target=~"$target", vhost=~"$vhost"}, queue)'),
        ],
        annotations=annotations("queue"),
        links=[kibana("sidelight-errors", "Logs: errors by service"), kibana("sidelight-slow-prices", "Logs: slow price calculations")],
        items=[*_now(), *_course(), *_dead_letters(), *_broker()],
    )


def _now():
    return [
        Row("Now"),
        stat("Worst drain", "Backlog divided by the rate of acknowledgements of the last five minutes, of the queue that needs "
             "longest. Nothing is shown while nothing is acknowledged: then the queue is stalled, or empty.",
             [Query(f"max(mes:queue_drain_seconds:max{QUEUE})")], "s", thresholds=limits.DRAIN.thresholds(),
             links=runbook("MesQueueDrainTooLong"), absent="Nothing acknowledged"),
        stat("Oldest message", "Age of the oldest message at the head of a queue; estimated where messages carry no time.",
             [Query(f"max(mes:queue_head_age_seconds:max{QUEUE})")], "s", thresholds=limits.HEAD_AGE.thresholds(),
             links=runbook("MesQueueHeadTooOld"), absent="No message waits"),
        stat("Backlog", "Messages ready and unacknowledged, of all chosen queues.",
             [Query(f"sum(mes:queue_depth:max{QUEUE})")], "short", links=runbook("MesQueueBacklogGrowing"), absent=NONE_OF_QUEUE),
        stat("Standing still", "Queues with messages of which none was acknowledged for five minutes.",
             [Query(f"sum(mes:queue_stalled:min{QUEUE})")], "short", thresholds=BAD_ABOVE_0, links=runbook("MesQueueStalled"),
             absent=NONE_OF_QUEUE),
        stat("No consumer", "Queues with messages ready and nobody to take them. Those that only delay are left out.",
             [Query(f"count(mes:queue_ready:max{QUEUE} > 0 and mes:queue_consumers:max{QUEUE} == 0 unless mes:queue_delays:max{QUEUE}) "
                    f"or 0 * count(mes:queue_ready:max{QUEUE})")],
             "short", thresholds=BAD_ABOVE_0, links=runbook("MesQueueNoConsumer"), absent=NONE_OF_QUEUE),
        stat("Dead letters", "Messages in queues that receive dead letters, of the chosen brokers. Each is work that nobody will do "
             "unless somebody looks.",
             [Query(f"sum(mes:dead_letter_depth:max{BROKER})")], "short", thresholds=Thresholds(((None, "green"), (1, "yellow"))),
             links=runbook("MesDeadLettersArriving"), absent="No dead-letter queue"),
        table("Queues", "Every chosen queue now. Sorted by backlog.", BY_QUEUE, [
            Column("Backlog", per_queue("mes:queue_depth:max"), "short"),
            Column("Ready", per_queue("mes:queue_ready:max"), "short"),
            Column("Unacked", per_queue("mes:queue_unacked:max"), "short"),
            Column("Consumers", per_queue("mes:queue_consumers:max"), "short"),
            Column("Utilised", per_queue("mes:queue_consumer_utilisation_ratio:max"), "percentunit", decimals=0),
            Column("In", per_queue("mes:queue_published:rate5m"), MESSAGES_A_SECOND, decimals=1),
            Column("Acked", per_queue("mes:queue_acked:rate5m"), MESSAGES_A_SECOND, decimals=1),
            Column("Growth", per_queue("mes:queue_growth_per_second:max"), MESSAGES_A_SECOND, decimals=2),
            Column("Drain", per_queue("mes:queue_drain_seconds:max"), "s", limits.DRAIN.thresholds()),
            Column("Oldest", per_queue("mes:queue_head_age_seconds:max"), "s", limits.HEAD_AGE.thresholds()),
            Column("Stalled", f'{per_queue("mes:queue_stalled:min")} or 2 * {per_queue("mes:queue_delays:max")}', "short",
                   mappings=tuple(value_texts({**YES_NO_BAD, 2: ("delays", "text")}))),
        ], sort="Backlog", wide={"Broker": 105, "Vhost": 60, "Queue": 140}, absent=NONE_OF_QUEUE),
    ]


def _course():
    return [
        Row("Backlog and flow"),
        timeseries("Backlog by queue", "Ready and unacknowledged messages of each queue.", [series("mes:queue_depth:max")], "short",
                   links=runbook("MesQueueBacklogGrowing", "MesQueueStalled"), absent=NONE_OF_QUEUE),
        timeseries("Time to drain", "Backlog divided by the rate of acknowledgements of five minutes; a gap is a queue of which nothing is "
                   "acknowledged. The objective is mes_queue_drain_seconds_objective, the strictest of the chosen brokers.",
                   [series("mes:queue_drain_seconds:max"), objective(limits.DRAIN, BROKER)], "s", thresholds=limits.DRAIN.thresholds(),
                   overrides=[OBJECTIVE_LINE], links=runbook("MesQueueDrainTooLong"), absent="Nothing acknowledged"),
        timeseries("Age of the oldest message", "At the head of each queue: measured by the message's own time, else estimated from the backlog's "
                   "history. The objective is mes_queue_head_age_seconds_objective.",
                   [series("mes:queue_head_age_seconds:max", "{{queue}} ({{target}} {{vhost}}), {{method}}"), objective(limits.HEAD_AGE, BROKER)],
                   "s", thresholds=limits.HEAD_AGE.thresholds(), overrides=[OBJECTIVE_LINE], links=runbook("MesQueueHeadTooOld"),
                   absent="No message waits"),
        timeseries("In and out", "Published and acknowledged messages, of all chosen queues: where the first is above the second the "
                   "backlog grows.",
                   [Query(f"sum(mes:queue_published:rate5m{QUEUE})", "published"), Query(f"sum(mes:queue_delivered:rate5m{QUEUE})", "delivered"),
                    Query(f"sum(mes:queue_acked:rate5m{QUEUE})", "acknowledged"), Query(f"sum(mes:queue_redelivered:rate5m{QUEUE})", "redelivered")],
                   MESSAGES_A_SECOND, links=runbook("MesQueueStalled"), absent=NONE_OF_QUEUE),
        timeseries("Growth", "Change of the backlog over five minutes, a second: under zero it shrinks.",
                   [series("mes:queue_growth_per_second:max")], MESSAGES_A_SECOND, minimum=None, links=runbook("MesQueueBacklogGrowing"), absent=NONE_OF_QUEUE),
        timeseries("Ready and unacknowledged", "Of all chosen queues: ready waits for a worker, unacknowledged is with one.",
                   [Query(f"sum(mes:queue_ready:max{QUEUE})", "ready"), Query(f"sum(mes:queue_unacked:max{QUEUE})", "unacknowledged")],
                   "short", stack=True, absent=NONE_OF_QUEUE),
        Row("Workers"),
        timeseries("Consumers", "Consumers of each queue.", [series("mes:queue_consumers:max")], "short",
                   links=runbook("MesQueueNoConsumer"), absent=NONE_OF_QUEUE),
        timeseries("Utilisation of consumers", "Share of time in which the queue could deliver at once to its consumers. Low with a backlog: too few "
                   "consumers, or a small prefetch.", [series("mes:queue_consumer_utilisation_ratio:max")], "percentunit", maximum=1,
                   absent="The broker does not tell"),
        timeseries("Redelivered", "Messages delivered again: workers died, or gave them back.", [series("mes:queue_redelivered:rate5m")], MESSAGES_A_SECOND,
                   links=runbook("MesQueueStalled"), absent=NONE_OF_QUEUE),
    ]


def _dead_letters():
    return [
        Row("Dead letters and streams"),
        timeseries("Dead letters waiting", "Messages in queues that receive dead letters.", [series("mes:dead_letter_depth:max", chosen=BROKER)],
                   "short", width=6, links=runbook("MesDeadLettersArriving"), absent="No dead-letter queue"),
        timeseries("Dead letters arriving", "Messages that were rejected or expired, a second.",
                   [series("mes:dead_letter_published:rate5m", chosen=BROKER)], MESSAGES_A_SECOND, width=6, links=runbook("MesDeadLettersArriving"),
                   absent="No dead-letter queue"),
        timeseries("Streams: messages", "Messages that streams keep; they are not taken out by reading.",
                   [series("mes:stream_messages:max", chosen=BROKER)], "short", width=6, absent="No stream"),
        timeseries("Streams: consumer lag", "Messages that the slowest consumer of a stream has not read yet.",
                   [series("mes:stream_consumer_lag:max", chosen=BROKER)], "short", width=6, absent="No stream"),
    ]


def _broker():
    return [
        Row("Broker"),
        states("Alarms", "While an alarm is on, the broker takes no message from any publisher.",
               [Query(f"mes:broker_alarm:max{BROKER}", "{{alarm}} {{node}} ({{target}})")], {0: ("off", "green"), 1: ("ON", "red")}, width=10,
               links=runbook("MesBrokerAlarm"), absent="No answer from the broker"),
        states("Nodes", "Whether each node of the broker's cluster runs.", [Query(f"mes:broker_node_up:max{BROKER}", NODE)], UP_TEXTS, width=9,
               links=runbook("MesBrokerNodeDown"), absent="No answer from the broker"),
        states("Answering", "Whether the broker answers any instance of Sidelight that watches it.",
               [Query(f'sidelight:collector_up:max{selector("cluster", "target", collector="rabbitmq")}', "{{target}}")], UP_TEXTS, width=5,
               links=runbook("MesBrokerDown"), absent="Nobody watches a broker"),
        timeseries("Memory", "Memory of each node, and where its alarm goes off.",
                   [Query(f"mes:broker_memory_used_bytes:max{BROKER}", NODE), Query(f"mes:broker_memory_limit_bytes:max{BROKER}", f"limit {NODE}")],
                   "bytes", overrides=[reference_line("/^limit/")], links=runbook("MesBrokerAlarm"), absent="No answer from the broker"),
        timeseries("Free disk", "Free disk of each node, and under what its alarm goes off.",
                   [Query(f"mes:broker_disk_free_bytes:min{BROKER}", NODE), Query(f"mes:broker_disk_limit_bytes:max{BROKER}", f"limit {NODE}")],
                   "bytes", overrides=[reference_line("/^limit/")], links=runbook("MesBrokerAlarm", "CapacityBrokerDisk"),
                   absent="No answer from the broker"),
        timeseries("Connections and queues", "Connections to the broker, and queues that match the filter of the configuration.",
                   [Query(f"mes:broker_connections:max{BROKER}", "connections {{target}}"),
                    Query(f"mes:broker_queues:max{BROKER}", "queues {{target}}")],
                   "short", absent="No answer from the broker"),
        table("Versions", "What runs where.", {"cluster": "Cluster", "target": "Broker", "version": "Version"},
              [Column("Known", f"max by (cluster, target, version) (mes_broker_info{BROKER})", "short")], height=5, hide=("Value",),
              absent="No answer from the broker"),
    ]
