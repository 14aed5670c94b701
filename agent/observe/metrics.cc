#include "agent/observe/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <sstream>

#include "agent/observe/checkpoint_metrics.h"
#include "agent/observe/http_metrics.h"
#include "agent/observe/input_labels.h"
#include "agent/observe/metric_families.h"
#include "agent/observe/pipeline_metrics.h"
#include "agent/observe/process_metrics.h"
#include "agent/observe/send_metrics.h"
#include "agent/observe/tail_metrics.h"

namespace sidelight {
namespace {

void declare_build_info(MetricFamilies& families, std::string_view version) {
  families
      .gauges({.name = "sidelight_build_info",
               .role = MetricRole::every_instance,
               .labels = "version",
               .help = "Always 1; says which version runs."})
      .Add({{"version", label_text(version)}})
      .Set(1);
}

// Families by name, in the text format.
using Page = std::map<std::string, std::string, std::less<>>;

void add_source(MetricSource& source, Page& page) {
  std::vector<std::shared_ptr<const RenderedFamily>> families;
  source.families(families);
  for (const auto& family : families) {
    const auto [it, is_new] = page.try_emplace(family->name, family->header);
    it->second += family->lines;
  }
}

}  // namespace

struct Metrics::State {
  State(const Clock& c, FileSystem& files, std::string_view version)
      : clock(c),
        families(registry),
        send(families),
        tail(families),
        pipeline(families, c),
        checkpoint(families, c.wall()),
        http(families),
        process(families, files, static_cast<double>(c.wall()) / 1e9) {
    declare_build_info(families, version);
  }

  const Clock& clock;
  prometheus::Registry registry;
  MetricFamilies families;
  SendMetrics send;
  TailMetrics tail;
  PipelineMetrics pipeline;
  CheckpointMetrics checkpoint;
  HttpMetrics http;
  ProcessMetrics process;
  std::mutex mutex;  // guards what follows, and one scrape at a time
  InputLabels labels;
  std::vector<MetricSource*> sources;
};

Metrics::Metrics(const Clock& clock, FileSystem& files, std::string_view version)
    : state_(std::make_unique<State>(clock, files, version)) {}

Metrics::~Metrics() = default;

void Metrics::set_inputs(const std::vector<std::string>& names) {
  const std::lock_guard lock(state_->mutex);
  const std::vector<InputLabel> labels = state_->labels.admit(names);
  state_->tail.set_inputs(labels);
  state_->pipeline.set_inputs(labels);
}

SendProbe& Metrics::send() {
  return state_->send;
}
TailProbe& Metrics::tail() {
  return state_->tail;
}
PipelineProbe& Metrics::pipeline() {
  return state_->pipeline;
}
CheckpointProbe& Metrics::checkpoint() {
  return state_->checkpoint;
}
HttpProbe& Metrics::http() {
  return state_->http;
}

std::string Metrics::serialize() {
  const std::lock_guard lock(state_->mutex);
  state_->checkpoint.refresh(state_->clock.wall());
  state_->process.refresh(state_->clock.now());
  std::vector<prometheus::MetricFamily> collected = state_->registry.Collect();
  // A family without series would be a header without samples.
  std::erase_if(collected, [](const auto& family) { return family.metric.empty(); });
  for (auto& family : collected)
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
  Page page;
  for (const auto& family : collected) {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, {family});
    page.emplace(family.name, std::move(text).str());
  }
  for (MetricSource* source : state_->sources) add_source(*source, page);
  std::string out;
  for (const auto& [name, text] : page) out += text;
  return out;
}

const TailedFiles& Metrics::files() const {
  return state_->pipeline.tailed_files();
}

void Metrics::set_sources(std::vector<MetricSource*> sources) {
  const std::lock_guard lock(state_->mutex);
  state_->sources = std::move(sources);
}

std::vector<DeclaredMetric> Metrics::declared() const {
  return state_->families.declared();
}

}  // namespace sidelight
