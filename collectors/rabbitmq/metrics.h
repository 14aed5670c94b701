// The metrics about a broker and its queues.
#pragma once

#include <vector>

#include "agent/base/metric_info.h"

namespace sidelight::rabbitmq {

// Queues of one target that are shown.
constexpr std::size_t kMaxQueues = 1000;
constexpr std::size_t kMaxDeadLetterQueues = 200;
constexpr std::size_t kMaxStreams = 200;
constexpr std::size_t kMaxNodes = 50;

extern const MetricInfo kReady;
extern const MetricInfo kUnacked;
extern const MetricInfo kDepth;
extern const MetricInfo kConsumers;
extern const MetricInfo kUtilisation;
extern const MetricInfo kPublished;
extern const MetricInfo kDelivered;
extern const MetricInfo kAcked;
extern const MetricInfo kRedelivered;
extern const MetricInfo kGrowth;
extern const MetricInfo kDrain;
extern const MetricInfo kStalled;
extern const MetricInfo kHeadAge;
extern const MetricInfo kDelays;
extern const MetricInfo kDeadLetterDepth;
extern const MetricInfo kDeadLetterPublished;
extern const MetricInfo kStreamMessages;
extern const MetricInfo kStreamLag;
extern const MetricInfo kAlarm;
extern const MetricInfo kMemoryUsed;
extern const MetricInfo kMemoryLimit;
extern const MetricInfo kDiskFree;
extern const MetricInfo kDiskLimit;
extern const MetricInfo kNodeUp;
extern const MetricInfo kConnections;
extern const MetricInfo kQueues;
extern const MetricInfo kInfo;

}  // namespace sidelight::rabbitmq

namespace sidelight {
std::vector<DeclaredMetric> rabbitmq_metrics();
}  // namespace sidelight
