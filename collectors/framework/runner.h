// Runs collectors: schedule, deadline, back-off, and what /metrics and the status page see of their targets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/metric_page.h"
#include "collectors/framework/collector.h"
#include "collectors/framework/target_slot.h"

namespace sidelight {

struct TargetStatus {
  std::string collector;
  std::string target;
  std::chrono::milliseconds interval{0};
  TargetView view;
};

// Threads: at most kMaxThreads that run collectors, one target never on two of them. families() and status()
// never wait for a target. New warnings of a collector and each change between up and down are logged.
class CollectorRunner final : public MetricSource {
 public:
  static constexpr std::size_t kMaxThreads = 8;

  // The first runs begin at once, 50 ms apart. What `context` refers to outlives the runner.
  CollectorRunner(std::vector<CollectorTask> tasks, const CollectorContext& context);
  // No run begins any more; does not wait for those in progress.
  void stop();
  // Waits until no run is in progress after stop(), `most` at most; true: the destructor will not wait.
  bool wait_stopped(std::chrono::milliseconds most) const;
  // Waits for runs in progress, which is until their deadlines at most, if collectors keep to them.
  ~CollectorRunner() override;
  CollectorRunner(const CollectorRunner&) = delete;
  CollectorRunner& operator=(const CollectorRunner&) = delete;

  void families(std::vector<std::shared_ptr<const RenderedFamily>>& out) override;
  // In the configuration's order.
  std::vector<TargetStatus> status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The metrics about targets that the runner itself keeps.
std::vector<DeclaredMetric> runner_metrics();

}  // namespace sidelight
