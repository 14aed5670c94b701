#include "agent/cli/commands.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "agent/base/http_client.h"
#include "agent/base/stream_client.h"
#include "agent/cli/configuration.h"
#include "agent/observe/log.h"
#include "agent/observe/metrics.h"
#include "agent/pipeline/inputs.h"
#include "agent/send/elasticsearch/connect_check.h"
#include "agent/send/elasticsearch/replay.h"
#include "agent/send/logstash/connect_check.h"
#include "collectors/catalog.h"
#include "config/generate.h"
#include "config/loader.h"

namespace sidelight {
namespace {

std::vector<DeclaredMetric> all_metrics(const Metrics& metrics) {
  std::vector<DeclaredMetric> all = metrics.declared();
  const std::vector<DeclaredMetric> more = collector_metrics();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// To the person at the terminal.
class TerminalLogger final : public Logger {
 public:
  void write(LogLevel /*level*/, std::string_view /*key*/, const std::string& message) override {
    std::fprintf(stderr, "%s\n", message.c_str());
  }
};

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value =
      std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
  if (value != nullptr) return std::string(value);
  // Shells know HOSTNAME but do not export it.
  std::array<char, 256> host{};
  if (name == "HOSTNAME" && ::gethostname(host.data(), host.size() - 1) == 0) return std::string(host.data());
  return std::nullopt;
}

std::optional<Settings> load_or_explain(FileSystem& fs, const std::string& file) {
  auto loaded = load_config(fs, file, environment_variable);
  for (const auto& w : loaded.warnings) std::fprintf(stderr, "warning: %s\n", render_problem(w).c_str());
  for (const auto& e : loaded.errors) std::fprintf(stderr, "%s\n", render_problem(e).c_str());
  if (loaded.settings) return std::move(loaded.settings);
  std::fprintf(stderr, "%zu problem%s in %s\n", loaded.errors.size(), loaded.errors.size() == 1 ? "" : "s",
               file.c_str());
  return std::nullopt;
}

// A name that nobody else has.
static std::string trial_name(const Clock& clock) {
  return "sidelight-check-" + std::to_string(::getpid()) + "-" + std::to_string(clock.wall());
}

static Expected<void> try_file(const std::string& path, FileSystem& fs, const Clock& clock) {
  if (const auto st = fs.stat(path); !st && st.error().code == ENOENT)
    return try_writing_in(fs, dir_name(path), trial_name(clock));
  for (const OpenMode mode : {OpenMode::append, OpenMode::read})
    if (auto file = fs.open(path, mode); !file) return std::unexpected(with_rights(fs, path, file.error()));
  return {};
}

// The program's own files in it may be another user's. That a running program holds the lock is fine.
static Expected<void> try_state_dir(const std::string& dir, FileSystem& fs, const Clock& clock) {
  if (auto tried = try_writing_in(fs, dir, trial_name(clock)); !tried) return tried;
  const std::string lock = dir + "/lock";
  if (!fs.stat(lock)) return {};
  auto taken = fs.lock(lock);
  if (!taken && taken.error().code != EWOULDBLOCK)
    return std::unexpected(with_rights(fs, lock, taken.error()));
  return {};
}

static int tell(const std::string& what, const std::string& path, const Expected<void>& tried,
                std::FILE* good_news) {
  if (tried) {
    std::fprintf(good_news, "%s: %s can be written\n", what.c_str(), path.c_str());
    return 0;
  }
  std::fprintf(stderr, "%s: %s cannot be used: %s\n", what.c_str(), path.c_str(),
               tried.error().message.c_str());
  return 1;
}

// Whether the destination answers, each of its hosts; the exit status.
static int connect_to_output(const OutputSettings& output, FileSystem& fs, const Clock& clock,
                             std::FILE* good_news) {
  const std::string where = output.name.empty() ? "output" : "outputs " + output.name;
  if (output.file && !output.file->path.empty())
    return tell(where + ".file", output.file->path, try_file(output.file->path, fs, clock), good_news);
  if (!output.elasticsearch && !output.logstash) return 0;
  const std::string name = where + (output.elasticsearch ? ".elasticsearch" : ".logstash");
  auto http = make_curl_http_client();
  auto streams = make_asio_stream_client();
  const auto found = output.elasticsearch ? probe_elasticsearch(*output.elasticsearch, fs, *http, clock)
                                          : probe_logstash(*output.logstash, fs, *http, *streams, clock);
  int status = 0;
  for (const auto& host : found) {
    if (host) {
      std::fprintf(good_news, "%s: %s\n", name.c_str(), host->c_str());
    } else {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), host.error().message.c_str());
      status = 1;
    }
  }
  return status;
}

int check_command(const std::string& config_file, bool connect, bool print) {
  PosixFileSystem fs;
  const auto settings = load_or_explain(fs, config_file);
  if (!settings) return 2;
  const SystemClock clock;
  NullLogger log;
  // The last word is that of the stages themselves.
  if (const auto inputs = make_inputs(*settings, fs); !inputs) {
    std::fprintf(stderr, "%s: %s\n", config_file.c_str(), inputs.error().message.c_str());
    return 2;
  }
  if (print) std::printf("%s", render_settings(*settings).c_str());
  std::FILE* const good_news = print ? stderr : stdout;  // what is printed can be loaded
  const std::size_t targets = make_collectors(settings->collectors, {fs, clock, log}).size();
  std::fprintf(good_news, "%s: the configuration is good (%zu log input%s, %zu target%s)\n",
               config_file.c_str(), settings->logs.size(), settings->logs.size() == 1 ? "" : "s", targets,
               targets == 1 ? "" : "s");
  int status = 0;
  if (connect) {
    if (!settings->logs.empty())
      status =
          tell("state_dir", settings->state_dir, try_state_dir(settings->state_dir, fs, clock), good_news);
    for (const OutputSettings* output : settings->all_outputs())
      status = std::max(status, connect_to_output(*output, fs, clock, good_news));
  }
  return status;
}

int schema_command(const std::string& what) {
  if (what == "metrics") {
    const SystemClock clock;
    PosixFileSystem fs;
    const Metrics metrics(clock, fs, SIDELIGHT_VERSION);
    std::printf("%s", metrics_reference(all_metrics(metrics)).c_str());
    return 0;
  }
  const std::string text = what == "reference"     ? generate_reference()
                           : what == "json-schema" ? generate_json_schema()
                                                   : generate_example();
  std::printf("%s", text.c_str());
  return 0;
}

int replay_command(const std::string& config_file, const std::string& output) {
  PosixFileSystem fs;
  const auto settings = load_or_explain(fs, config_file);
  if (!settings) return 2;
  std::vector<const OutputSettings*> able;
  for (const OutputSettings* o : settings->all_outputs())
    if (o->elasticsearch && (output.empty() || o->name == output)) able.push_back(o);
  if (able.empty()) {
    std::fprintf(
        stderr, "replay-dead-letters needs %s: other outputs make no dead letters\n",
        output.empty() ? "output.elasticsearch" : ("an elasticsearch output named " + output).c_str());
    return 2;
  }
  if (able.size() > 1) {
    std::string names;
    for (const OutputSettings* o : able) names += (names.empty() ? "" : ", ") + o->name;
    std::fprintf(stderr, "several outputs may have dead letters; choose one by --output: %s\n",
                 names.c_str());
    return 2;
  }
  const SystemClock clock;
  auto http = make_curl_http_client();
  TerminalLogger log;
  auto summary =
      replay_dead_letters(fs, *http, clock, log, *able.front()->elasticsearch, [](const ReplayProgress& p) {
        std::fprintf(stderr, "%s: %llu done, %llu refused\n", p.file.c_str(),
                     static_cast<unsigned long long>(p.done), static_cast<unsigned long long>(p.refused));
      });
  if (!summary) {
    std::fprintf(stderr, "%s\n", summary.error().message.c_str());
    return 1;
  }
  std::printf(
      "%llu delivered, %llu refused again, %llu unreadable, in %llu file(s)\n",
      static_cast<unsigned long long>(summary->delivered), static_cast<unsigned long long>(summary->refused),
      static_cast<unsigned long long>(summary->unreadable), static_cast<unsigned long long>(summary->files));
  if (!summary->first_unreadable.empty())
    std::printf("the first unreadable line is %s\n", summary->first_unreadable.c_str());
  if (!summary->last_refusal.empty())
    std::printf("the destination said: %s\n", summary->last_refusal.c_str());
  if (summary->open_file_left_out) std::printf("the file that the running program writes was left out\n");
  return summary->refused + summary->unreadable == 0 ? 0 : 1;
}

}  // namespace sidelight
