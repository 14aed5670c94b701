// `sidelight run`: the program's life from start to signal.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <set>
#include <thread>

#include "agent/cli/commands.h"
#include "agent/cli/configuration.h"
#include "agent/cli/log_metrics_run.h"
#include "agent/observe/http_server.h"
#include "agent/observe/log.h"
#include "agent/observe/metrics.h"
#include "agent/pipeline/pipeline.h"
#include "agent/status/status.h"
#include "collectors/catalog.h"
#include "collectors/framework/runner.h"
#include "collectors/objectives.h"
#include "config/loader.h"

namespace sidelight {
namespace {

constexpr std::chrono::seconds kConfigPoll{2};
constexpr std::chrono::seconds kReloadDrain{5};

// SIGTERM, SIGINT and SIGHUP, taken in turn by one thread; blocked in all others from before they start.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, s);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  // 0 when none came in time.
  int wait(std::chrono::milliseconds max) const {
    const timespec t{max.count() / 1000, (max.count() % 1000) * 1'000'000};
    const int s = sigtimedwait(&set_, nullptr, &t);
    return s > 0 ? s : 0;
  }

 private:
  sigset_t set_{};
};

// What tells one version of the configuration file from the next; a ConfigMap swap changes what a symlink
// leads to.
struct ConfigVersion {
  std::string real_path;
  FileStat stat;
  bool operator==(const ConfigVersion& o) const {
    return real_path == o.real_path && stat.inode == o.stat.inode && stat.mtime_ns == o.stat.mtime_ns &&
           stat.size == o.stat.size;
  }
};

ConfigVersion version_of(FileSystem& fs, const std::string& file) {
  ConfigVersion v;
  if (auto real = fs.real_path(file)) v.real_path = *real;
  if (auto st = fs.stat(file)) v.stat = *st;
  return v;
}

// Bodies go back to the system when they are freed, whatever lies around them, and threads share heaps: what
// a burst took is not kept for good. (Buffers that steady shipping needs are pooled; smaller ones are left to
// the heap, since fresh pages cost more than they do.)
void keep_heap_small() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 2);             // NOLINT(concurrency-mt-unsafe): no thread runs yet
  mallopt(M_MMAP_THRESHOLD, 1 << 20);  // NOLINT(concurrency-mt-unsafe): no thread runs yet
  mallopt(M_TRIM_THRESHOLD, 2 << 20);  // NOLINT(concurrency-mt-unsafe): no thread runs yet
#endif
}

// Where our own output goes, should it go to files that a glob matches.
std::set<std::string> own_streams(FileSystem& fs) {
  std::set<std::string> out;
  for (const char* fd : {"/proc/self/fd/1", "/proc/self/fd/2"})
    if (auto path = fs.real_path(fd)) out.insert(*path);
  return out;
}

std::vector<std::string> input_names(const Settings& settings) {
  std::vector<std::string> names;
  for (const auto& log : settings.logs) names.push_back(log.name);
  return names;
}

class Program {
 public:
  Program(std::string config_file, const Settings& settings)
      : config_file_(std::move(config_file)),
        settings_(settings),
        log_(make_logger(settings.log, clock_)),
        metrics_(clock_, fs_, SIDELIGHT_VERSION) {}

  Expected<void> start() {
    metrics_.set_inputs(input_names(settings_));
    seen_ = version_of(fs_, config_file_);
    auto pipeline = start_pipeline(settings_);
    if (!pipeline) return std::unexpected(pipeline.error());
    pipeline_ = std::move(*pipeline);
    if (auto started = start_log_metrics(settings_); !started) return started;
    start_collectors(settings_);
    set_objectives(settings_);
    metrics_.pipeline().reload(true);
    ready_ = true;
    const std::string inputs = std::to_string(settings_.logs.size()) + " log input(s), " +
                               std::to_string(runner_ ? runner_->status().size() : 0) + " target(s)";
    if (!settings_.http) {
      log_->info("run.started", "sidelight " SIDELIGHT_VERSION " is up: " + inputs + ", no HTTP port");
      return {};
    }
    HttpRoutes routes;
    routes["/metrics"] = [this](const HttpCall&) {
      return HttpReply{200, metrics_.serialize(), std::string(Metrics::kContentType), {}};
    };
    routes["/healthz"] = [](const HttpCall&) {
      return HttpReply{200, "ok\n", "text/plain; charset=utf-8", {}};
    };
    routes["/readyz"] = [this](const HttpCall&) {
      return ready_.load() ? HttpReply{200, "ready\n", "text/plain; charset=utf-8", {}}
                           : HttpReply{503, "stopping\n", "text/plain; charset=utf-8", {}};
    };
    add_status_routes(
        routes,
        {SIDELIGHT_VERSION, clock_.wall(), clock_, history_, metrics_.files(), [this] { return targets(); }},
        PageAccess(*settings_.http, fs_));
    auto server = HttpServer::start(*settings_.http, std::move(routes), *log_, metrics_.http());
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    log_->info("run.started", "sidelight " SIDELIGHT_VERSION " is up: " + inputs + ", metrics on http://" +
                                  settings_.http->listen + "/metrics");
    return {};
  }

  // Until a signal to stop; returns the exit status.
  int run(const Signals& signals) {
    for (;;) {
      const int s = signals.wait(kConfigPoll);
      if (server_ && history_.due(clock_.now())) history_.sample(clock_.now(), metrics_.serialize());
      if (s == SIGTERM || s == SIGINT) return stop(signals);
      const auto now = version_of(fs_, config_file_);
      if (s == SIGHUP || (!(now == seen_) && now.stat.inode != 0)) {
        seen_ = now;
        reload();
      }
    }
  }

 private:
  // Null when there are no logs to read.
  Expected<std::unique_ptr<Pipeline>> start_pipeline(const Settings& settings) {
    if (settings.logs.empty()) return std::unique_ptr<Pipeline>();
    return Pipeline::start({fs_, clock_, *log_, metrics_.tail(), metrics_.pipeline(), metrics_.checkpoint(),
                            metrics_.send(), own_streams(fs_)},
                           settings);
  }

  Expected<void> start_log_metrics(const Settings& settings) {
    stop_log_metrics();
    auto started = LogMetricsRun::start({fs_, clock_, *log_, own_streams(fs_)}, settings);
    if (!started) return std::unexpected(started.error());
    log_metrics_ = std::move(*started);
    show_sources();
    return {};
  }

  void stop_log_metrics() {
    const auto old = std::move(log_metrics_);
    show_sources();  // before it goes
  }

  void start_collectors(const Settings& settings) {
    stop_collectors();
    const CollectorContext context{fs_, clock_, *log_};
    auto tasks = make_collectors(settings.collectors, context);
    if (!tasks.empty()) {
      auto runner = std::make_unique<CollectorRunner>(std::move(tasks), context);
      const std::lock_guard lock(runner_mutex_);
      runner_ = std::move(runner);
    }
    show_sources();
  }

  void stop_collectors() {
    std::unique_ptr<CollectorRunner> old;
    {
      const std::lock_guard lock(runner_mutex_);
      old = std::move(runner_);
    }
    show_sources();  // before it goes
  }

  void set_objectives(const Settings& settings) {
    const auto old = std::move(objectives_);
    objectives_ = std::make_unique<Objectives>(settings.objectives);
    show_sources();
  }

  // For the HTTP server's thread.
  std::vector<TargetStatus> targets() {
    const std::lock_guard lock(runner_mutex_);
    return runner_ ? runner_->status() : std::vector<TargetStatus>();
  }

  void show_sources() {
    std::vector<MetricSource*> sources;
    if (log_metrics_) sources.push_back(&log_metrics_->source());
    if (runner_) sources.push_back(runner_.get());
    if (objectives_) sources.push_back(objectives_.get());
    metrics_.set_sources(std::move(sources));
  }

  void reload() {
    auto loaded = load_config(fs_, config_file_, environment_variable);
    for (const auto& w : loaded.warnings) log_->warn("config.warning", render_problem(w));
    if (!loaded.settings) {
      for (const auto& e : loaded.errors) log_->error("config.error", render_problem(e));
      log_->error("config.reload", "the new configuration is bad; the old one goes on");
      metrics_.pipeline().reload(false);
      return;
    }
    std::vector<std::string> needs_restart;
    if (!same_except_reloadable(settings_, *loaded.settings, needs_restart)) {
      std::string keys;
      for (const auto& k : needs_restart) keys += (keys.empty() ? "" : ", ") + k;
      log_->warn("config.restart", "these changes take effect at the next start: " + keys);
    }
    Settings next = std::move(*loaded.settings);
    if (!settings_.logs.empty()) next.state_dir = settings_.state_dir;  // its lock and its keys stay ours
    next.http = settings_.http;
    next.log = settings_.log;
    if (pipeline_) pipeline_->stop(Pipeline::Stop::as_is, clock_.now() + kReloadDrain);
    pipeline_.reset();
    metrics_.set_inputs(input_names(next));
    auto started = start_pipeline(next);
    const bool good = started.has_value();
    if (!good) {
      log_->error("config.reload", started.error().message + "; the old configuration goes on");
      metrics_.set_inputs(input_names(settings_));
      started = start_pipeline(settings_);
    }
    metrics_.pipeline().reload(good);
    if (!started) {
      log_->error("config.reload", started.error().message);
      failed_ = true;
      ::kill(::getpid(), SIGTERM);
      return;
    }
    pipeline_ = std::move(*started);
    if (!good) return;
    if (!same_collectors(settings_, next)) start_collectors(next);
    if (!same_log_metrics(settings_, next)) {
      if (auto changed = start_log_metrics(next); !changed)
        log_->error("config.reload", "no metrics from logs: " + changed.error().message);
    }
    set_objectives(next);
    settings_ = std::move(next);
    log_->info("config.reloaded", "the new configuration is in force");
  }

  int stop(const Signals& signals) {
    ready_ = false;
    stop_log_metrics();
    stop_collectors();
    if (failed_) return 1;
    if (!pipeline_) {
      log_->info("run.stopped", "stopped");
      return 0;
    }
    log_->info("run.stopping", "stopping: reading to the end, sending what is left");
    const MonoTime deadline = clock_.now() + settings_.shutdown_deadline;
    std::atomic<bool> done{false};
    bool all = false;
    std::thread stopper([&] {
      all = pipeline_->stop(Pipeline::Stop::finish, deadline);
      done = true;
      ::kill(::getpid(), SIGHUP);  // wakes the wait below
    });
    while (!done) {
      const int s = signals.wait(std::chrono::milliseconds(500));
      if (s == SIGTERM || s == SIGINT) {
        log_->warn(
            "run.killed",
            "a second signal: leaving at once; what was not acknowledged is sent again after the next start");
        ::_exit(1);
      }
    }
    stopper.join();
    log_->info("run.stopped", all ? "everything is delivered" : "stopped with something left to deliver");
    return failed_ ? 1 : 0;
  }

  std::string config_file_;
  Settings settings_;
  SystemClock clock_;
  PosixFileSystem fs_;
  std::unique_ptr<Logger> log_;
  Metrics metrics_;
  std::unique_ptr<Pipeline> pipeline_;          // with logs
  std::unique_ptr<LogMetricsRun> log_metrics_;  // with log_metrics
  std::mutex runner_mutex_;                     // runner_ is asked by the HTTP server's thread
  std::unique_ptr<CollectorRunner> runner_;     // with targets
  std::unique_ptr<Objectives> objectives_;
  History history_;
  std::unique_ptr<HttpServer> server_;
  std::atomic<bool> ready_{false};
  ConfigVersion seen_;
  bool failed_ = false;
};

}  // namespace

int run_command(const std::string& config_file) {
  keep_heap_small();
  PosixFileSystem fs;
  const auto settings = load_or_explain(fs, config_file);
  if (!settings) return 2;
  const Signals signals;
  Program program(config_file, *settings);
  if (auto r = program.start(); !r) {
    std::fprintf(stderr, "sidelight cannot start: %s\n", r.error().message.c_str());
    return 1;
  }
  return program.run(signals);
}

}  // namespace sidelight
