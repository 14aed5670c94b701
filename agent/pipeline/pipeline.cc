#include "agent/pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include "agent/base/file_notifier.h"
#include "agent/checkpoint/store.h"
#include "agent/pipeline/batch_pool.h"
#include "agent/pipeline/inputs.h"
#include "agent/pipeline/outlet.h"
#include "agent/pipeline/output_factory.h"
#include "agent/pipeline/output_reports.h"
#include "agent/pipeline/span_ledger.h"
#include "agent/pipeline/worker.h"

namespace sidelight {
namespace {

constexpr std::size_t kChunkBytes = 128 * 1024;

class StoreBarrier final : public DurabilityBarrier {
 public:
  explicit StoreBarrier(CheckpointStore& store) : store_(store) {}
  Expected<void> sync_to(std::uint64_t seq) override { return store_.sync_to(seq); }
  ReplayStarts replay_starts() const override { return ReplayStarts(store_.replay_starts()); }

 private:
  CheckpointStore& store_;
};

// Of one output.
class WorkerGate final : public InputGate {
 public:
  WorkerGate(Worker& worker, std::uint32_t output) : worker_(worker), output_(output) {}
  void pause_input(std::uint32_t input, const std::string& why) override {
    worker_.pause_input(output_, input, why);
  }
  void resume_input(std::uint32_t input) override { worker_.resume_input(output_, input); }

 private:
  Worker& worker_;
  const std::uint32_t output_;
};

// Files that the program writes itself.
OwnFiles own_files(const Settings& settings, const PipelineContext& context) {
  OwnFiles own{context.never_tail, context.never_tail_in};
  // What standard output and error lead to, also after it was renamed.
  for (const char* stream : {"/proc/self/fd/1", "/proc/self/fd/2"}) own.files.insert(stream);
  if (!settings.state_dir.empty()) own.directories.insert(settings.state_dir);
  if (!settings.log.file.empty()) own.files.insert(settings.log.file);
  for (const OutputSettings* output : settings.all_outputs()) {
    if (!output->file || output->file->path.empty()) continue;
    own.files.insert(output->file->path);
    for (std::size_t i = 1; i <= output->file->keep; ++i)
      own.files.insert(output->file->path + "." + std::to_string(i));
  }
  return own;
}

std::size_t largest_batch(const Settings& settings) {
  std::size_t most = 0;
  for (const OutputSettings* output : settings.all_outputs()) most = std::max(most, output->batch_bytes);
  return most;
}

// All at once: one that cannot deliver must not take the time of the others. True when nothing is left.
bool drain_all(const std::vector<std::unique_ptr<Output>>& outputs, MonoTime deadline) {
  std::atomic<bool> all{true};
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < outputs.size(); ++i)
    others.emplace_back([&all, deadline, output = outputs[i].get()] {
      if (!output->drain(deadline)) all = false;
    });
  if (!outputs.front()->drain(deadline)) all = false;
  for (std::thread& t : others) t.join();
  return all;
}

}  // namespace

// In the order of construction; destroyed in reverse, the output's thread first.
struct Pipeline::Parts {
  Parts(PipelineContext c, const Settings& s, std::unique_ptr<CheckpointStore> st,
        std::unique_ptr<FileNotifier> n)
      : context(std::move(c)),
        settings(s),
        store(std::move(st)),
        notifier(std::move(n)),
        budget(s.memory_budget),
        chunks(budget, kChunkBytes),
        batches(budget, 4 * largest_batch(s), [this] { notifier->wake(); }),
        barrier(*store),
        states(context.send_probe) {}

  Expected<void> make_outputs(const PipelineEndMaker& make_end);

  PipelineContext context;
  Settings settings;
  std::unique_ptr<CheckpointStore> store;
  std::unique_ptr<FileNotifier> notifier;
  Budget budget;
  ChunkPool chunks;
  BatchPool batches;
  SpanLedger ledger;
  StoreBarrier barrier;
  std::vector<std::unique_ptr<WorkerGate>> gates;
  OutputStates states;
  std::vector<std::unique_ptr<OneOutputProbe>> probes;
  std::vector<std::unique_ptr<OneOutputLogger>> loggers;
  std::vector<std::unique_ptr<Outlet>> outlets;
  std::unique_ptr<Worker> worker;
  std::vector<std::unique_ptr<Output>> outputs;
};

Expected<void> Pipeline::Parts::make_outputs(const PipelineEndMaker& make_end) {
  const auto all = make_end ? std::vector<const OutputSettings*>{&settings.output} : settings.all_outputs();
  const std::size_t share = all.size() > 1 ? settings.memory_budget / all.size() : 0;
  std::vector<Outlet*> for_worker;
  for (const OutputSettings* o : all) {
    outlets.push_back(std::make_unique<Outlet>(
        o->name, batches, budget, BatchLimits{o->batch_bytes, o->batch_documents, o->flush_interval}, share));
    probes.push_back(std::make_unique<OneOutputProbe>(states));
    loggers.push_back(std::make_unique<OneOutputLogger>(context.log, o->name));
    gates.push_back(std::make_unique<WorkerGate>(*worker, static_cast<std::uint32_t>(gates.size())));
    for_worker.push_back(outlets.back().get());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool one = all.size() == 1;
    const OutputContext output_context{
        context.clock, one ? context.log : *loggers[i],      budget, ledger, barrier, *gates[i],
        *outlets[i],   one ? context.send_probe : *probes[i]};
    if (make_end) {
      PipelineEnd end = make_end(output_context);
      outlets[i]->connect(*end.output, std::move(end.encoder));
      outputs.push_back(std::move(end.output));
      continue;
    }
    auto output = make_output(*all[i], output_context, context.fs);
    if (!output) return std::unexpected(output.error());
    outlets[i]->connect(**output, make_encoder((*output)->encoding()));
    outputs.push_back(std::move(*output));
  }
  worker->set_outlets(std::move(for_worker));
  return {};
}

Expected<std::unique_ptr<Pipeline>> Pipeline::start(PipelineContext context, const Settings& settings,
                                                    const PipelineEndMaker& make_end) {
  auto inputs = make_inputs(settings, context.fs);
  if (!inputs) return std::unexpected(inputs.error());
  auto store = CheckpointStore::open({context.fs, context.clock, context.log, context.checkpoint_probe},
                                     settings.state_dir);
  if (!store) return std::unexpected(store.error());
  std::string polling;
  auto notifier = make_inotify_notifier(polling);
  if (!polling.empty()) context.log.warn("tail.polling", polling);

  OwnFiles own = own_files(settings, context);
  auto parts = std::make_unique<Parts>(std::move(context), settings, std::move(*store), std::move(notifier));
  Parts& p = *parts;
  WorkerOptions options;
  options.multiline_timeout = settings.multiline_timeout;
  options.unterminated_timeout = settings.unterminated_timeout;
  options.checkpoint_interval = settings.checkpoint_interval;
  std::vector<TailOptions> tails;
  for (const auto& log : settings.logs) tails.push_back(log.tail);
  p.worker = std::make_unique<Worker>(
      WorkerContext{p.context.fs, *p.notifier, p.context.clock, p.context.log, p.budget, p.chunks, p.batches,
                    p.ledger, *p.store, p.context.tail_probe, p.context.pipeline_probe},
      options, std::move(*inputs), std::move(tails), settings.limits, std::move(own));
  if (auto made = p.make_outputs(make_end); !made) return std::unexpected(made.error());

  if (p.context.open_files != nullptr) p.worker->inherit(std::exchange(*p.context.open_files, {}));
  std::unique_ptr<Pipeline> pipeline(new Pipeline(std::move(parts)));
  pipeline->worker_thread_ = std::thread([raw = pipeline.get()] { raw->run_worker(); });
  pipeline->commit_thread_ = std::thread([raw = pipeline.get()] { raw->run_committer(); });
  return pipeline;
}

OpenFiles Pipeline::take_open_files() {
  return parts_->worker->take_open_files();
}

Pipeline::Pipeline(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Pipeline::~Pipeline() {
  if (worker_thread_.joinable()) stop(Stop::as_is, parts_->context.clock.now());
}

void Pipeline::run_worker() {
  Worker& worker = *parts_->worker;
  worker.restore();
  while (!stopping_.load(std::memory_order_acquire)) worker.turn(std::chrono::minutes(1));
}

void Pipeline::run_committer() {
  for (;;) {
    {
      std::unique_lock lock(commit_mutex_);
      if (commit_wake_.wait_for(lock, parts_->settings.checkpoint_interval, [this] { return commit_stop_; }))
        return;
    }
    if (auto r = parts_->store->sync_all(); !r) {
      parts_->context.log.error("checkpoint.write",
                                r.error().message + "; shipping waits until it can be written");
    } else {
      parts_->store->touch();  // with nothing to write the checkpoint is not old, but current
    }
  }
}

bool Pipeline::stop(Stop how, MonoTime deadline) {
  Parts& p = *parts_;
  const MonoTime begin = p.context.clock.now();
  stopping_.store(true, std::memory_order_release);
  p.notifier->wake();
  worker_thread_.join();
  // The tail end of the time belongs to the last checkpoint.
  const MonoTime send_until = deadline - std::min<Nanos>(std::chrono::seconds(1), (deadline - begin) / 10);
  bool all_read = true;
  if (how == Stop::finish) {
    all_read = p.worker->finish(begin + (send_until - begin) * 3 / 4);
    if (!all_read)
      p.context.log.warn("pipeline.unread",
                         "not everything could be read before the deadline; it stays in the files and is "
                         "read after the next start");
  } else {
    p.worker->flush();
  }
  const bool all = drain_all(p.outputs, send_until);
  p.worker->checkpoint();
  {
    const std::lock_guard lock(commit_mutex_);
    commit_stop_ = true;
  }
  commit_wake_.notify_all();
  commit_thread_.join();
  auto synced = p.store->sync_all();
  if (!synced) p.context.log.error("checkpoint.write", synced.error().message);
  if (!all) {
    std::size_t left = 0;
    for (const auto& o : p.outputs) left += o->queued_bytes();
    p.context.log.warn(
        "pipeline.left",
        "documents of " + std::to_string(left) +
            " bytes could not be delivered before the deadline; their lines are read again from "
            "the files " +
            (how == Stop::finish ? "at the next start" : "with the new configuration"));
  }
  p.outputs.clear();
  return all && all_read && synced.has_value();
}

}  // namespace sidelight
