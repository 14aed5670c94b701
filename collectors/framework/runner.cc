#include "collectors/framework/runner.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "collectors/framework/render.h"
#include "collectors/framework/runner_metrics.h"

namespace sidelight {
namespace {

constexpr auto kSpread = std::chrono::milliseconds(50);
// The clock may be one that is stepped; real time only paces the looks at it.
constexpr auto kLongestSleep = std::chrono::milliseconds(250);

Labels constant_labels(const CollectorTask& task) {
  return task.target_label ? Labels{{"target", task.options.name}} : Labels{};
}

}  // namespace

struct CollectorRunner::State {
  struct Target {
    Target(CollectorTask t, MonoTime first, std::uint32_t seed)
        : task(std::move(t)), slot(task.options, first, seed) {}
    CollectorTask task;
    TargetSlot slot;  // guarded by the state's mutex
    SeriesCap cap;    // used by the thread that runs the target
    bool logged_up = true;
    std::vector<std::string> logged_warnings;  // of the last good run
  };

  explicit State(const CollectorContext& c) : context(c) {}

  void work();
  void run(Target& target, MonoTime now, MonoTime deadline);
  Target* due(MonoTime now, Nanos& wait);
  void log_change(Target& target, const std::string& error);
  void log_warnings(Target& target, const std::vector<std::string>& warnings) const;

  CollectorContext context;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable ended;
  bool stopping = false;
  std::size_t working = 0;  // threads
  std::vector<std::unique_ptr<Target>> targets;
  std::vector<std::thread> threads;
};

// With the mutex held: the target that has been due longest, or how long to wait for one.
CollectorRunner::State::Target* CollectorRunner::State::due(MonoTime now, Nanos& wait) {
  Target* best = nullptr;
  for (const auto& target : targets) {
    if (target->slot.running()) continue;
    if (best == nullptr || target->slot.next_run() < best->slot.next_run()) best = target.get();
  }
  wait = kLongestSleep;
  if (best == nullptr) return nullptr;
  if (best->slot.next_run() <= now) return best;
  wait = std::min(wait, best->slot.next_run() - now);
  return nullptr;
}

void CollectorRunner::State::work() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const MonoTime now = context.clock.now();
    Nanos wait{};
    Target* target = due(now, wait);
    if (target == nullptr) {
      changed.wait_for(lock, wait);
      continue;
    }
    target->slot.begin(now);
    const MonoTime deadline = target->slot.deadline();
    lock.unlock();
    run(*target, now, deadline);
    lock.lock();
  }
  --working;
  ended.notify_all();
}

void CollectorRunner::State::run(Target& target, MonoTime now, MonoTime deadline) {
  const CollectorTask& task = target.task;
  Samples samples(constant_labels(task), target.cap, now);
  CollectRun run{now, context.clock.wall(), Deadline(context.clock, deadline), samples};
  std::string error;
  try {
    if (auto done = task.work->collect(run); !done) error = done.error().message;
  } catch (const std::exception& e) {
    error = e.what();
    if (error.empty()) error = "an exception without a message";
  }
  std::shared_ptr<const TargetValues> values;
  if (error.empty()) {
    log_warnings(target, samples.warnings());
    values = std::make_shared<TargetValues>(
        TargetValues{now, render_families(samples.families()), samples.advice(), samples.warnings()});
  }
  const std::lock_guard lock(mutex);
  target.slot.count_dropped(samples.dropped());
  target.slot.finish(context.clock.now(), context.clock.wall(), std::move(values), error);
  log_change(target, target.slot.view(context.clock.now()).error);
}

// Once, as long as a warning stays: what cannot be read here will not be readable in ten seconds. The page
// goes on to show it. By the one thread that runs the target.
void CollectorRunner::State::log_warnings(Target& target, const std::vector<std::string>& warnings) const {
  const std::string name = target.task.collector + " " + target.task.options.name;
  for (const auto& warning : warnings) {
    if (std::find(target.logged_warnings.begin(), target.logged_warnings.end(), warning) !=
        target.logged_warnings.end())
      continue;
    context.log.warn("collector.warning." + name, name + ": " + warning);
  }
  target.logged_warnings = warnings;
}

void CollectorRunner::State::log_change(Target& target, const std::string& error) {
  const std::string name = target.task.collector + " " + target.task.options.name;
  const bool up = error.empty();
  if (up && !target.logged_up) context.log.info("collector.up", name + ": answers again");
  if (!up) context.log.warn("collector.down." + name, name + ": " + error);
  target.logged_up = up;
}

CollectorRunner::CollectorRunner(std::vector<CollectorTask> tasks, const CollectorContext& context)
    : state_(std::make_unique<State>(context)) {
  const MonoTime now = context.clock.now();
  std::uint32_t n = 0;
  for (CollectorTask& task : tasks) {
    const auto seed = static_cast<std::uint32_t>(context.clock.wall()) + n;
    state_->targets.push_back(std::make_unique<State::Target>(std::move(task), now + n * kSpread, seed));
    ++n;
  }
  const std::size_t threads = std::min(kMaxThreads, state_->targets.size());
  state_->working = threads;
  for (std::size_t i = 0; i < threads; ++i) state_->threads.emplace_back([s = state_.get()] { s->work(); });
}

void CollectorRunner::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
}

bool CollectorRunner::wait_stopped(std::chrono::milliseconds most) const {
  std::unique_lock lock(state_->mutex);
  return state_->ended.wait_for(lock, most, [this] { return state_->working == 0; });
}

CollectorRunner::~CollectorRunner() {
  stop();
  for (auto& thread : state_->threads) thread.join();
}

std::vector<TargetStatus> CollectorRunner::status() const {
  const std::lock_guard lock(state_->mutex);
  const MonoTime now = state_->context.clock.now();
  std::vector<TargetStatus> out;
  out.reserve(state_->targets.size());
  for (const auto& t : state_->targets)
    out.push_back({t->task.collector, t->task.options.name, t->task.options.interval, t->slot.view(now)});
  return out;
}

void CollectorRunner::families(std::vector<std::shared_ptr<const RenderedFamily>>& out) {
  const std::vector<TargetStatus> targets = status();
  for (const TargetStatus& t : targets) {
    if (!t.view.values) continue;
    out.insert(out.end(), t.view.values->rendered.begin(), t.view.values->rendered.end());
  }
  for (auto& family : render_status(targets)) out.push_back(std::move(family));
}

}  // namespace sidelight
