// All metrics of the program, behind the probes of its stages. One object, made at the start and handed
// around as probes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/filesystem.h"
#include "agent/base/metric_info.h"
#include "agent/base/metric_page.h"
#include "agent/checkpoint/checkpoint_probe.h"
#include "agent/observe/http_probe.h"
#include "agent/observe/tailed_files.h"
#include "agent/pipeline/pipeline_probe.h"
#include "agent/send/send_probe.h"
#include "agent/tail/tail_probe.h"

namespace sidelight {

// Thread-safe. The probes live as long as it does.
class Metrics {
 public:
  // `version` is shown in sidelight_build_info; `files` is used to read /proc at a scrape. Both references
  // outlive it.
  Metrics(const Clock& clock, FileSystem& files, std::string_view version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Names of the log inputs; the probes number them by their place. Before the first probe call that names an
  // input, and again at every reload. At most 200 different names get series of their own, ever.
  void set_inputs(const std::vector<std::string>& names);

  SendProbe& send();
  TailProbe& tail();
  PipelineProbe& pipeline();
  CheckpointProbe& checkpoint();
  HttpProbe& http();

  // The answer to GET /metrics, sorted by name and labels. Text format 0.0.4, of which this is the content
  // type.
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";
  std::string serialize();
  // Where the files of the inputs stand. Lives as long as this object.
  const TailedFiles& files() const;
  // What else serialize() shows, from now on; sources are asked in this order. They outlive their last
  // scrape: call it with the others before one is destroyed.
  void set_sources(std::vector<MetricSource*> sources);
  // The program's own families.
  std::vector<DeclaredMetric> declared() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sidelight
