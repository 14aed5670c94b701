#include "agent/cli/log_metrics_run.h"

#include <algorithm>

#include "agent/decode/framer.h"
#include "agent/pipeline/pipeline.h"
#include "collectors/log_metrics/log_metrics.h"
#include "config/loader.h"

namespace sidelight {
namespace {

constexpr std::size_t kMemory = 8u << 20;
constexpr std::size_t kBatchDocuments = 2000;
constexpr std::chrono::milliseconds kFlush{250};
constexpr std::chrono::seconds kStopWithin{2};

std::vector<std::string> names_of(const std::vector<LogInput>& logs) {
  std::vector<std::string> names;
  for (const LogInput& log : logs) names.push_back(log.name);
  return names;
}

// What is dropped on the way to the destination counts nevertheless. The others stay: labels leave the
// process too, so they are redacted, and a rule sees the fields that the document has.
void without_droppers(std::vector<ProcessorOptions>& processors) {
  std::erase_if(processors,
                [](const ProcessorOptions& p) { return p.drop || p.sample || p.rate_limit || p.dedupe; });
}

// The longest piece that one event is read in: it must fit, with room for a batch.
std::size_t widest_window(const std::vector<LogInput>& logs) {
  std::size_t most = 0;
  for (const LogInput& log : logs)
    if (const auto framer = make_framer(log.decode)) most = std::max(most, (*framer)->window_bytes());
  return most;
}

class LagProbe final : public PipelineProbe {
 public:
  explicit LagProbe(LogMetrics& metrics) : metrics_(metrics) {}
  void read(std::uint32_t /*input*/, std::uint64_t /*bytes*/) override {}
  void events(std::uint32_t /*input*/, std::uint64_t /*lines*/, std::uint64_t /*events*/) override {}
  void truncated(std::uint32_t /*input*/, std::uint64_t /*events*/, std::uint64_t /*bytes*/) override {}
  void dropped(std::uint32_t /*input*/, std::uint64_t /*events*/, DropReason /*reason*/) override {}
  void parse_errors(std::uint32_t /*input*/, std::uint64_t /*events*/) override {}
  void lag(std::uint32_t input, std::uint64_t bytes, double /*seconds*/) override {
    metrics_.lag(input, bytes);
  }
  void in_flight(std::uint64_t /*bytes_used*/, std::uint64_t /*budget*/) override {}
  void input_paused(std::uint32_t /*input*/, bool /*paused*/, PauseReason /*reason*/) override {}
  void reload(bool /*success*/) override {}

 private:
  LogMetrics& metrics_;
};

// The same files are read for the outputs, which tells all that there is to tell of them.
class WithoutFiles final : public Logger {
 public:
  explicit WithoutFiles(Logger& log) : log_(log) {}
  void write(LogLevel level, std::string_view key, const std::string& message) override {
    if (!key.starts_with("tail.")) log_.write(level, key, message);
  }

 private:
  Logger& log_;
};

}  // namespace

struct LogMetricsRun::Parts {
  Parts(std::unique_ptr<LogMetrics> m, Logger& to) : metrics(std::move(m)), probe(*metrics), log(to) {}
  std::unique_ptr<LogMetrics> metrics;
  LagProbe probe;
  WithoutFiles log;
  NullTailProbe tail_probe;
  NullCheckpointProbe checkpoint_probe;
  NullSendProbe send_probe;
  const Clock* clock = nullptr;
  Settings settings;
  std::unique_ptr<Pipeline> pipeline;
};

Expected<std::unique_ptr<LogMetricsRun>> LogMetricsRun::start(const LogMetricsContext& context,
                                                              const Settings& settings,
                                                              std::unique_ptr<LogMetricsRun> before) {
  if (before) before->end();
  if (settings.log_metrics.empty() || settings.logs.empty()) return std::unique_ptr<LogMetricsRun>();
  auto rules = LogMetricRules::make(settings.log_metrics, names_of(settings.logs));
  if (!rules) return std::unexpected(rules.error());
  Settings own = settings;
  own.logs.clear();
  for (std::uint32_t i = 0; i < settings.logs.size(); ++i)
    if (rules->reads(i)) own.logs.push_back(settings.logs[i]);
  if (own.logs.empty()) return std::unique_ptr<LogMetricsRun>();
  without_droppers(own.processors);
  for (LogInput& log : own.logs) without_droppers(log.processors);
  own.state_dir = settings.state_dir + "/log-metrics";
  own.memory_budget = std::min(settings.memory_budget, std::max(kMemory, 2 * widest_window(own.logs)));
  own.output.batch_bytes = own.memory_budget / 4;
  own.output.batch_documents = kBatchDocuments;
  own.output.flush_interval = kFlush;

  auto metrics = LogMetrics::make(settings.log_metrics, names_of(own.logs), context.clock);
  if (!metrics) return std::unexpected(metrics.error());
  if (before && same_fields(before->parts_->settings, settings)) (*metrics)->adopt(*before->parts_->metrics);
  auto parts = std::make_unique<Parts>(std::move(*metrics), context.log);
  parts->clock = &context.clock;
  parts->settings = settings;
  LogMetrics& m = *parts->metrics;
  auto pipeline = Pipeline::start(
      {context.fs,
       context.clock,
       parts->log,
       parts->tail_probe,
       parts->probe,
       parts->checkpoint_probe,
       parts->send_probe,
       context.never_tail,
       {settings.state_dir}},
      own, [&m](const OutputContext& to) { return PipelineEnd{m.make_output(to), m.make_encoder()}; });
  if (!pipeline) return std::unexpected(pipeline.error());
  parts->pipeline = std::move(*pipeline);
  return std::unique_ptr<LogMetricsRun>(new LogMetricsRun(std::move(parts)));
}

LogMetricsRun::LogMetricsRun(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

LogMetricsRun::~LogMetricsRun() {
  end();
}

void LogMetricsRun::end() {
  if (!parts_->pipeline) return;
  parts_->pipeline->stop(Pipeline::Stop::as_is, parts_->clock->now() + kStopWithin);
  parts_->pipeline.reset();  // and with it its hold on the positions
}

MetricSource& LogMetricsRun::source() {
  return *parts_->metrics;
}

}  // namespace sidelight
