#include "collectors/rabbitmq/metrics.h"

namespace sidelight::rabbitmq {
namespace {

constexpr std::string_view kQueueLabels = "target; vhost; queue";

}  // namespace

const MetricInfo kReady{.name = "mes_queue_ready",
                        .role = MetricRole::beside_a_target,
                        .labels = kQueueLabels,
                        .max_series = kMaxQueues,
                        .help = "Messages that wait for a consumer."};
const MetricInfo kUnacked{.name = "mes_queue_unacked",
                          .role = MetricRole::beside_a_target,
                          .labels = kQueueLabels,
                          .max_series = kMaxQueues,
                          .help = "Messages that were delivered and are not acknowledged yet."};
const MetricInfo kDepth{.name = "mes_queue_depth",
                        .role = MetricRole::beside_a_target,
                        .labels = kQueueLabels,
                        .max_series = kMaxQueues,
                        .help = "Messages in the queue: ready and unacknowledged."};
const MetricInfo kConsumers{.name = "mes_queue_consumers",
                            .role = MetricRole::beside_a_target,
                            .labels = kQueueLabels,
                            .max_series = kMaxQueues,
                            .help = "Subscriptions to the queue."};
const MetricInfo kUtilisation{
    .name = "mes_queue_consumer_utilisation_ratio",
    .role = MetricRole::beside_a_target,
    .unit = "ratio",
    .labels = kQueueLabels,
    .max_series = kMaxQueues,
    .help =
        "Share of the time in which the queue could hand out messages at once; absent without consumers."};
const MetricInfo kPublished{.name = "mes_queue_published_total",
                            .role = MetricRole::beside_a_target,
                            .labels = kQueueLabels,
                            .max_series = kMaxQueues,
                            .help =
                                "Messages published to the queue, since the broker's start; without those "
                                "that came as dead letters."};
const MetricInfo kDelivered{.name = "mes_queue_delivered_total",
                            .role = MetricRole::beside_a_target,
                            .labels = kQueueLabels,
                            .max_series = kMaxQueues,
                            .help = "Messages handed to consumers or fetched, redeliveries included."};
const MetricInfo kAcked{
    .name = "mes_queue_acked_total",
    .role = MetricRole::beside_a_target,
    .labels = kQueueLabels,
    .max_series = kMaxQueues,
    .help = "Messages acknowledged, or delivered to consumers that need not acknowledge."};
const MetricInfo kRedelivered{.name = "mes_queue_redelivered_total",
                              .role = MetricRole::beside_a_target,
                              .labels = kQueueLabels,
                              .max_series = kMaxQueues,
                              .help = "Messages delivered once more."};
const MetricInfo kGrowth{
    .name = "mes_queue_growth_per_second",
    .role = MetricRole::beside_a_target,
    .labels = kQueueLabels,
    .max_series = kMaxQueues,
    .help = "Change of the depth over 5 minutes, in messages per second; negative while the queue drains."};
const MetricInfo kDrain{
    .name = "mes_queue_drain_seconds",
    .role = MetricRole::beside_a_target,
    .unit = "seconds",
    .labels = kQueueLabels,
    .max_series = kMaxQueues,
    .help = "Depth over the rate of acknowledgement of 5 minutes; absent when nothing was acknowledged."};
const MetricInfo kStalled{
    .name = "mes_queue_stalled",
    .role = MetricRole::beside_a_target,
    .labels = kQueueLabels,
    .max_series = kMaxQueues,
    .help = "1 when there was a backlog for 5 minutes and nothing of it was acknowledged."};
const MetricInfo kHeadAge{.name = "mes_queue_head_age_seconds",
                          .role = MetricRole::beside_a_target,
                          .unit = "seconds",
                          .labels = "target; vhost; queue; method: measured, estimated",
                          .max_series = 2 * kMaxQueues,
                          .help =
                              "Age of the message at the head: measured from its timestamp, or estimated "
                              "from the counters; absent when none is ready."};
const MetricInfo kDelays{
    .name = "mes_queue_delay_info",
    .role = MetricRole::beside_a_target,
    .labels = kQueueLabels,
    .max_series = kMaxQueues,
    .help =
        "1 for a queue that only delays: its messages expire and go on to another one, and "
        "nobody has read it; such a queue is neither stalled nor drained, and has no age."};
const MetricInfo kDeadLetterDepth{.name = "mes_dead_letter_depth",
                                  .role = MetricRole::beside_a_target,
                                  .labels = kQueueLabels,
                                  .max_series = kMaxDeadLetterQueues,
                                  .help = "Messages in a queue that receives dead letters."};
const MetricInfo kDeadLetterPublished{
    .name = "mes_dead_letter_published_total",
    .role = MetricRole::beside_a_target,
    .labels = kQueueLabels,
    .max_series = kMaxDeadLetterQueues,
    .help = "Messages that came into a queue of dead letters since this program began to watch it."};
const MetricInfo kStreamMessages{.name = "mes_stream_messages",
                                 .role = MetricRole::beside_a_target,
                                 .labels = kQueueLabels,
                                 .max_series = kMaxStreams,
                                 .help = "Messages that a stream retains, consumed or not."};
const MetricInfo kStreamLag{.name = "mes_stream_consumer_lag",
                            .role = MetricRole::beside_a_target,
                            .labels = kQueueLabels,
                            .max_series = kMaxStreams,
                            .help =
                                "Messages that the slowest consumer of a stream has still to read; needs the "
                                "plugin rabbitmq_stream_management."};
const MetricInfo kAlarm{.name = "mes_broker_alarm",
                        .role = MetricRole::beside_a_target,
                        .labels = "target; node; alarm: memory, disk",
                        .max_series = 2 * kMaxNodes,
                        .help = "1 while the node blocks publishers for want of memory or disk."};
const MetricInfo kMemoryUsed{.name = "mes_broker_memory_used_bytes",
                             .role = MetricRole::beside_a_target,
                             .unit = "bytes",
                             .labels = "target; node",
                             .max_series = kMaxNodes,
                             .help = "Memory that the node uses."};
const MetricInfo kMemoryLimit{.name = "mes_broker_memory_limit_bytes",
                              .role = MetricRole::beside_a_target,
                              .unit = "bytes",
                              .labels = "target; node",
                              .max_series = kMaxNodes,
                              .help = "Memory beyond which the node blocks publishers."};
const MetricInfo kDiskFree{.name = "mes_broker_disk_free_bytes",
                           .role = MetricRole::beside_a_target,
                           .unit = "bytes",
                           .labels = "target; node",
                           .max_series = kMaxNodes,
                           .help = "Free disk of the node."};
const MetricInfo kDiskLimit{.name = "mes_broker_disk_limit_bytes",
                            .role = MetricRole::beside_a_target,
                            .unit = "bytes",
                            .labels = "target; node",
                            .max_series = kMaxNodes,
                            .help = "Free disk below which the node blocks publishers."};
const MetricInfo kNodeUp{.name = "mes_broker_node_up",
                         .role = MetricRole::beside_a_target,
                         .labels = "target; node",
                         .max_series = kMaxNodes,
                         .help = "Whether the node of the cluster runs."};
const MetricInfo kConnections{.name = "mes_broker_connections",
                              .role = MetricRole::beside_a_target,
                              .labels = "target",
                              .help = "Client connections of the whole cluster."};
const MetricInfo kQueues{.name = "mes_broker_queues",
                         .role = MetricRole::beside_a_target,
                         .labels = "target",
                         .help = "Queues and streams that match the configured names."};
const MetricInfo kInfo{.name = "mes_broker_info",
                       .role = MetricRole::beside_a_target,
                       .labels = "target; version",
                       .max_series = 4,
                       .help = "1, with the version of the broker."};

}  // namespace sidelight::rabbitmq

namespace sidelight {

std::vector<DeclaredMetric> rabbitmq_metrics() {
  using namespace rabbitmq;
  constexpr auto kGauge = MetricKind::gauge;
  constexpr auto kCounter = MetricKind::counter;
  return {{kReady, kGauge},
          {kUnacked, kGauge},
          {kDepth, kGauge},
          {kConsumers, kGauge},
          {kUtilisation, kGauge},
          {kPublished, kCounter},
          {kDelivered, kCounter},
          {kAcked, kCounter},
          {kRedelivered, kCounter},
          {kGrowth, kGauge},
          {kDrain, kGauge},
          {kStalled, kGauge},
          {kHeadAge, kGauge},
          {kDelays, kGauge},
          {kDeadLetterDepth, kGauge},
          {kDeadLetterPublished, kCounter},
          {kStreamMessages, kGauge},
          {kStreamLag, kGauge},
          {kAlarm, kGauge},
          {kMemoryUsed, kGauge},
          {kMemoryLimit, kGauge},
          {kDiskFree, kGauge},
          {kDiskLimit, kGauge},
          {kNodeUp, kGauge},
          {kConnections, kGauge},
          {kQueues, kGauge},
          {kInfo, kGauge}};
}

}  // namespace sidelight
