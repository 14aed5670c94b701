// Log-derived metrics as part of the running program: a pipeline of their own, with a cursor of its own, so
// that a destination that is away stops shipping and not the metrics.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/log.h"
#include "agent/base/metric_page.h"
#include "config/settings.h"

namespace sidelight {

struct LogMetricsContext {
  FileSystem& fs;
  const Clock& clock;
  Logger& log;
  std::set<std::string> never_tail;
};

class LogMetricsRun {
 public:
  // Null when the settings ask for none, or no log input is read by a rule. Positions are kept in
  // `log-metrics` below the state directory. `before` (may be null) is ended first; its counts go on where
  // rules are the same and events still have the same fields (same_fields() of config/loader.h).
  static Expected<std::unique_ptr<LogMetricsRun>> start(const LogMetricsContext& context,
                                                        const Settings& settings,
                                                        std::unique_ptr<LogMetricsRun> before);
  // Writes down where it stands, and stops.
  ~LogMetricsRun();
  LogMetricsRun(const LogMetricsRun&) = delete;
  LogMetricsRun& operator=(const LogMetricsRun&) = delete;

  // Lives as long as this object.
  MetricSource& source();

 private:
  struct Parts;
  explicit LogMetricsRun(std::unique_ptr<Parts> parts);
  void end();
  std::unique_ptr<Parts> parts_;
};

}  // namespace sidelight
