// `sidelight run`: the program's life from start to signal.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "agent/cli/commands.h"
#include "agent/cli/configuration.h"
#include "agent/cli/log_metrics_run.h"
#include "agent/observe/http_server.h"
#include "agent/observe/listen_address.h"
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
// Past the deadline of a stop: what hangs then (a file system that does not answer) is left behind.
constexpr std::chrono::seconds kOverrun{2};
// For collectors that are about to say goodbye to their targets.
constexpr std::chrono::milliseconds kCollectorsGrace{500};
// Runners of earlier configurations whose targets still hang.
constexpr std::size_t kMostRetired = 4;

bool asks_to_stop(int signal) {
  return signal == SIGTERM || signal == SIGINT;
}

// SIGTERM, SIGINT and SIGHUP, taken in turn by one thread; blocked in all others from before they start.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int s : {SIGTERM, SIGINT, SIGHUP, SIGRTMIN}) sigaddset(&set_, s);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  // 0 when none came in time.
  int wait(std::chrono::milliseconds max) const {
    const timespec t{max.count() / 1000, (max.count() % 1000) * 1'000'000};
    const int s = sigtimedwait(&set_, nullptr, &t);
    return s > 0 ? s : 0;
  }
  // Ends a wait, with none of the signals above.
  static void wake() { ::kill(::getpid(), SIGRTMIN); }

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
  mallopt(M_MMAP_THRESHOLD, 1 << 19);  // NOLINT(concurrency-mt-unsafe): no thread runs yet
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
                                  with_port(settings_.http->listen, server_->port()) + "/metrics");
    return {};
  }

  // After a start that failed; returns the exit status.
  int give_up() {
    stop_asked_ = clock_.now();
    pipeline_.reset();
    stop_log_metrics();
    retire_collectors();
    leave_hanging_collectors(1);
    return 1;
  }

  // Until a signal to stop; returns the exit status.
  int run(const Signals& signals) {
    for (;;) {
      const int s = signals.wait(kConfigPoll);
      if (server_ && history_.due(clock_.now())) history_.sample(clock_.now(), metrics_.serialize());
      release_retired();
      if (asks_to_stop(s)) {
        stop_asked_ = clock_.now();
      } else if (const auto now = version_of(fs_, config_file_);
                 s == SIGHUP || reload_asked_ || (!(now == seen_) && now.stat.inode != 0)) {
        seen_ = now;
        reload_asked_ = false;
        beside(signals, [this] { reload(); });
      }
      if (stop_asked_ || failed_) return stop(signals);
    }
  }

 private:
  // Does `work` on a thread of its own while this one takes signals: a stop or a reload that is asked for
  // meanwhile is remembered, and a second request to stop, or one that hangs past its deadline, ends the
  // process at once.
  template <typename Work>
  void beside(const Signals& signals, Work work) {
    const auto patience = settings_.shutdown_deadline + kOverrun;  // `work` may change the settings
    std::atomic<bool> done{false};
    std::thread worker([&] {
      work();
      done = true;
      Signals::wake();
    });
    while (!done) {
      const int s = signals.wait(std::chrono::milliseconds(500));
      if (s == SIGHUP) reload_asked_ = true;
      if (asks_to_stop(s)) {
        if (stop_asked_) {
          leave(
              "a second signal: leaving at once; what was not acknowledged is sent again after the next "
              "start");
        }
        stop_asked_ = clock_.now();
      }
      if (stop_asked_ && clock_.now() > *stop_asked_ + patience) {
        leave(
            "shutdown_deadline is over and something still hangs: leaving; what was not acknowledged is sent "
            "again after the next start");
      }
    }
    worker.join();
  }

  MonoTime stop_deadline() const { return *stop_asked_ + settings_.shutdown_deadline; }

  [[noreturn]] void leave(const std::string& why) {
    log_->warn("run.killed", why);
    ::_exit(1);
  }

  // Null when there are no logs to read.
  Expected<std::unique_ptr<Pipeline>> start_pipeline(const Settings& settings, OpenFiles* open = nullptr) {
    if (settings.logs.empty()) return std::unique_ptr<Pipeline>();
    return Pipeline::start({fs_,
                            clock_,
                            *log_,
                            metrics_.tail(),
                            metrics_.pipeline(),
                            metrics_.checkpoint(),
                            metrics_.send(),
                            own_streams(fs_),
                            {},
                            open},
                           settings);
  }

  Expected<void> start_log_metrics(const Settings& settings) {
    auto started = LogMetricsRun::start({fs_, clock_, *log_, own_streams(fs_)}, settings, take_log_metrics());
    if (!started) return std::unexpected(started.error());
    log_metrics_ = std::move(*started);
    show_sources();
    return {};
  }

  void stop_log_metrics() { take_log_metrics().reset(); }

  // It stops when it is destroyed.
  std::unique_ptr<LogMetricsRun> take_log_metrics() {
    auto old = std::move(log_metrics_);
    show_sources();  // before it goes
    return old;
  }

  void start_collectors(const Settings& settings) {
    retire_collectors();
    const CollectorContext context{fs_, clock_, *log_};
    auto tasks = make_collectors(settings.collectors, context);
    if (!tasks.empty()) {
      auto runner = std::make_unique<CollectorRunner>(std::move(tasks), context);
      const std::lock_guard lock(runner_mutex_);
      runner_ = std::move(runner);
    }
    show_sources();
  }

  // They may be in the middle of a run, and a target that does not answer must hold up neither a reload nor a
  // stop: what is left of them is kept until it has ended.
  void retire_collectors() {
    std::unique_ptr<CollectorRunner> old;
    {
      const std::lock_guard lock(runner_mutex_);
      old = std::move(runner_);
    }
    show_sources();
    if (!old) return;
    old->stop();
    retired_.push_back(std::move(old));
    release_retired();
  }

  void release_retired() {
    std::erase_if(retired_, [](const auto& r) { return r->wait_stopped(std::chrono::milliseconds(0)); });
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
    if (!settings_.logs.empty()) keep_state_dir(settings_, next);  // its lock and its keys stay ours
    next.http = settings_.http;
    next.log = settings_.log;
    OpenFiles open;
    if (pipeline_) {
      pipeline_->stop(Pipeline::Stop::as_is,
                      clock_.now() + std::min<Nanos>(kReloadDrain, settings_.shutdown_deadline));
      open = pipeline_->take_open_files();
    }
    pipeline_.reset();
    metrics_.set_inputs(input_names(next));
    auto started = start_pipeline(next, &open);
    const bool good = started.has_value();
    if (!good) {
      log_->error("config.reload", started.error().message + "; the old configuration goes on");
      metrics_.set_inputs(input_names(settings_));
      started = start_pipeline(settings_, &open);
    }
    metrics_.pipeline().reload(good);
    if (!started) {
      log_->error("config.reload", started.error().message);
      failed_ = true;
      return;
    }
    pipeline_ = std::move(*started);
    if (!good) return;
    if (!same_collectors(settings_, next)) {
      release_retired();
      if (retired_.size() < kMostRetired) {
        start_collectors(next);
      } else {
        log_->error("config.collectors",
                    "targets of earlier configurations still hang, so the collectors stay as they are; "
                    "reload again when they have ended");
        next.collectors = settings_.collectors;
      }
    }
    if (!same_log_metrics(settings_, next)) {
      if (auto changed = start_log_metrics(next); !changed)
        log_->error("config.reload", "no metrics from logs: " + changed.error().message);
    }
    set_objectives(next);
    settings_ = std::move(next);
    log_->info("config.reloaded", "the new configuration is in force");
  }

  // The log path, the metrics from logs and the collectors end side by side, all by one deadline.
  int stop(const Signals& signals) {
    ready_ = false;
    if (!stop_asked_) stop_asked_ = clock_.now();
    bool all = true;
    if (pipeline_) log_->info("run.stopping", "stopping: reading to the end, sending what is left");
    beside(signals, [this, &all] {
      retire_collectors();
      std::thread log_metrics([old = take_log_metrics()]() mutable { old.reset(); });
      if (pipeline_) all = pipeline_->stop(Pipeline::Stop::finish, stop_deadline());
      log_metrics.join();
    });
    const char* how = all ? "everything is delivered" : "stopped with something left to deliver";
    if (!failed_) log_->info("run.stopped", pipeline_ ? how : "stopped");
    leave_hanging_collectors(failed_ ? 1 : 0);
    return failed_ ? 1 : 0;
  }

  // A thread that hangs in a call cannot be ended, and it uses what lives in this object: the process ends
  // under it, with all that matters written.
  void leave_hanging_collectors(int status) {
    const MonoTime until = std::min(clock_.now() + kCollectorsGrace, stop_deadline());
    for (const auto& r : retired_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_.now());
      if (!r->wait_stopped(std::max(left, std::chrono::milliseconds(0)))) ::_exit(status);
    }
  }

  std::string config_file_;
  Settings settings_;
  SystemClock clock_;
  PosixFileSystem fs_;
  std::unique_ptr<Logger> log_;
  Metrics metrics_;
  std::unique_ptr<Pipeline> pipeline_;                     // with logs
  std::unique_ptr<LogMetricsRun> log_metrics_;             // with log_metrics
  std::mutex runner_mutex_;                                // runner_ is asked by the HTTP server's thread
  std::unique_ptr<CollectorRunner> runner_;                // with targets
  std::vector<std::unique_ptr<CollectorRunner>> retired_;  // stopped, and still in the middle of a run
  std::unique_ptr<Objectives> objectives_;
  History history_;
  std::unique_ptr<HttpServer> server_;
  std::atomic<bool> ready_{false};
  ConfigVersion seen_;
  bool failed_ = false;
  std::optional<MonoTime> stop_asked_;  // by the first signal
  bool reload_asked_ = false;           // while something else was going on
};

}  // namespace

int run_command(const std::string& config_file) {
  const Signals signals;  // first: until they are blocked, a SIGHUP ends the process
  keep_heap_small();
  PosixFileSystem fs;
  const auto settings = load_or_explain(fs, config_file);
  if (!settings) return 2;
  Program program(config_file, *settings);
  if (auto r = program.start(); !r) {
    std::fprintf(stderr, "sidelight cannot start: %s\n", r.error().message.c_str());
    return program.give_up();
  }
  return program.run(signals);
}

}  // namespace sidelight
