#include "agent/pipeline/pipeline.h"

#include <algorithm>

#include "agent/base/file_notifier.h"
#include "agent/checkpoint/store.h"
#include "agent/pipeline/batch_pool.h"
#include "agent/pipeline/output_factory.h"
#include "agent/pipeline/span_ledger.h"
#include "agent/pipeline/worker.h"

namespace sidelight {
namespace {

constexpr std::size_t kChunkBytes = 128 * 1024;
constexpr std::size_t kChunksKept = 16;
constexpr std::size_t kBatchesKept = 4;

class StoreBarrier final : public DurabilityBarrier {
 public:
  explicit StoreBarrier(CheckpointStore& store) : store_(store) {}
  Expected<void> sync_to(std::uint64_t seq) override { return store_.sync_to(seq); }

 private:
  CheckpointStore& store_;
};

class WorkerGate final : public InputGate {
 public:
  void set(Worker& worker) { worker_ = &worker; }
  void pause_input(std::uint32_t input, const std::string& why) override { worker_->pause_input(input, why); }
  void resume_input(std::uint32_t input) override { worker_->resume_input(input); }

 private:
  Worker* worker_ = nullptr;
};

// The input's own processors, then everyone's.
Expected<std::unique_ptr<Chain>> make_chain(const Settings& settings, const LogInput& log, FileSystem& fs) {
  std::vector<ProcessorOptions> all = log.processors;
  all.insert(all.end(), settings.processors.begin(), settings.processors.end());
  if (all.empty()) return nullptr;
  // A regular expression may cut a line anywhere.
  return Chain::make(all, fs, {log.parse.format != Format::regex, log.parse.timezone});
}

Expected<std::vector<WorkerInput>> make_inputs(const Settings& settings, FileSystem& fs) {
  std::vector<WorkerInput> inputs;
  for (const auto& log : settings.logs) {
    WorkerInput in;
    auto framer = make_framer(log.decode);
    if (!framer) return fail("log input " + log.name + ": " + framer.error().message);
    auto parser = make_parser(log.parse);
    if (!parser) return fail("log input " + log.name + ": " + parser.error().message);
    in.framer = std::move(*framer);
    in.parser = std::move(*parser);
    in.constants.service = log.service;
    in.constants.fields = settings.host_fields;
    for (const auto& field : log.fields) {  // the input's own win over the environment's
      std::erase_if(in.constants.fields, [&](const auto& f) { return f.first == field.first; });
      in.constants.fields.push_back(field);
    }
    in.constants.labels = log.labels;
    auto chain = make_chain(settings, log, fs);
    if (!chain) return fail("log input " + log.name + ": " + chain.error().message);
    in.chain = std::move(*chain);
    inputs.push_back(std::move(in));
  }
  return inputs;
}

// Files that the program writes itself.
std::set<std::string> own_files(const Settings& settings, std::set<std::string> never) {
  if (!settings.log.file.empty()) never.insert(settings.log.file);
  if (settings.output.file && !settings.output.file->path.empty()) {
    never.insert(settings.output.file->path);
    for (std::size_t i = 1; i <= settings.output.file->keep + 1; ++i)
      never.insert(settings.output.file->path + "." + std::to_string(i));
  }
  return never;
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
        chunks(budget, kChunkBytes, kChunksKept),
        batches(budget, kBatchesKept, 4 * s.output.batch_bytes, [this] { notifier->wake(); }),
        barrier(*store) {}

  PipelineContext context;
  Settings settings;
  std::unique_ptr<CheckpointStore> store;
  std::unique_ptr<FileNotifier> notifier;
  Budget budget;
  ChunkPool chunks;
  BatchPool batches;
  SpanLedger ledger;
  StoreBarrier barrier;
  WorkerGate gate;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<Output> output;
};

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

  auto never = own_files(settings, context.never_tail);
  auto parts = std::make_unique<Parts>(std::move(context), settings, std::move(*store), std::move(notifier));
  Parts& p = *parts;
  const WorkerOptions options{settings.output.batch_bytes,    settings.output.batch_documents,
                              settings.output.flush_interval, settings.multiline_timeout,
                              settings.unterminated_timeout,  settings.checkpoint_interval};
  std::vector<TailOptions> tails;
  for (const auto& log : settings.logs) tails.push_back(log.tail);
  p.worker = std::make_unique<Worker>(
      WorkerContext{p.context.fs, *p.notifier, p.context.clock, p.context.log, p.budget, p.chunks, p.batches,
                    p.ledger, *p.store, p.context.tail_probe, p.context.pipeline_probe},
      options, std::move(*inputs), std::move(tails), settings.limits, std::move(never));
  p.gate.set(*p.worker);
  const OutputContext output_context{p.context.clock, p.context.log, p.budget,  p.ledger,
                                     p.barrier,       p.gate,        p.batches, p.context.send_probe};
  std::unique_ptr<Encoder> encoder;
  if (make_end) {
    PipelineEnd end = make_end(output_context);
    p.output = std::move(end.output);
    encoder = std::move(end.encoder);
  } else {
    auto output = make_output(settings, output_context, p.context.fs);
    if (!output) return std::unexpected(output.error());
    p.output = std::move(*output);
    encoder = make_encoder(p.output->encoding());
  }
  p.worker->set_output(*p.output, std::move(encoder));

  std::unique_ptr<Pipeline> pipeline(new Pipeline(std::move(parts)));
  pipeline->worker_thread_ = std::thread([raw = pipeline.get()] { raw->run_worker(); });
  pipeline->commit_thread_ = std::thread([raw = pipeline.get()] { raw->run_committer(); });
  return pipeline;
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
  if (how == Stop::finish) {
    p.worker->finish(begin + (send_until - begin) * 3 / 4);
  } else {
    p.worker->flush();
  }
  const bool all = p.output->drain(send_until);
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
    p.context.log.warn("pipeline.left", std::to_string(p.output->queued_bytes()) +
                                            " bytes could not be delivered before the deadline; they stay in "
                                            "the files and are sent after the next start");
  }
  p.output.reset();
  return all && synced.has_value();
}

}  // namespace sidelight
