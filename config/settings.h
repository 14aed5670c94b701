// The configuration as the program uses it: plain typed values, defaults filled in, paths absolute, secrets
// as references (files are named here, read where they are used) or resolved from the environment.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/decode/framer.h"
#include "agent/observe/options.h"
#include "agent/parse/parser.h"
#include "agent/process/options.h"
#include "agent/send/elasticsearch/options.h"
#include "agent/send/file/options.h"
#include "agent/send/logstash/options.h"
#include "agent/tail/options.h"
#include "collectors/log_metrics/options.h"
#include "collectors/settings.h"

namespace sidelight {

// Where events go on a condition.
struct RouteOptions {
  ConditionOptions when;
  std::string output;  // its name
  bool copy = false;   // and go on to the routes behind
};

struct LogInput {
  std::string name;  // default: the first path
  TailOptions tail;
  DecodeOptions decode;
  ParseOptions parse;
  std::string service;
  std::vector<std::pair<std::string, std::string>> fields;  // constant ECS fields
  std::vector<std::pair<std::string, std::string>> labels;  // constant labels
  std::vector<ProcessorOptions> processors;                 // those of Settings follow
  std::vector<RouteOptions> routes;                         // the same
  std::string output;  // name of the one for what no route decides on; empty: the first
};

struct OutputSettings {
  std::string name;  // of several outputs; unique
  // Exactly one is set.
  std::optional<ElasticsearchOptions> elasticsearch;
  std::optional<LogstashOptions> logstash;
  std::optional<FileOutputOptions> file;           // path empty: stdout
  std::chrono::milliseconds flush_interval{1000};  // a batch is sent at this age at the latest
  std::size_t batch_bytes = 512u << 10;            // or at this body size
  std::size_t batch_documents = 10000;
};

struct Settings {
  std::vector<LogInput> logs;
  std::vector<ProcessorOptions> processors;  // of all inputs, behind their own
  std::vector<RouteOptions> routes;          // of all inputs, behind their own
  // With logs, one of these is there.
  OutputSettings output;
  std::vector<OutputSettings> outputs;
  std::string state_dir;  // with logs
  CollectorSettings collectors;
  LogMetricsOptions log_metrics;
  std::vector<std::pair<std::string, std::string>> objectives;  // names are known, values are numbers
  LogOptions log;
  std::optional<HttpServerOptions> http;  // absent: no port (http: off)
  TailLimits limits;
  std::size_t memory_budget = 32u << 20;
  std::chrono::milliseconds multiline_timeout{2000};     // an open event without news is closed after this
  std::chrono::milliseconds unterminated_timeout{5000};  // so is a last line without a newline
  std::chrono::milliseconds shutdown_deadline{25000};
  std::chrono::milliseconds checkpoint_interval{1000};
  // Constant ECS fields from the environment (host.name, kubernetes.* from the downward API variables), added
  // to every document.
  std::vector<std::pair<std::string, std::string>> host_fields;

  // Those of `outputs`, or else `output`; they live as long as the settings stay as they are.
  std::vector<const OutputSettings*> all_outputs() const {
    std::vector<const OutputSettings*> all;
    for (const OutputSettings& o : outputs) all.push_back(&o);
    if (all.empty()) all.push_back(&output);
    return all;
  }
};

}  // namespace sidelight
