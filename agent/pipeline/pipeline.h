// The log path put together: the only place that knows all stages.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/log.h"
#include "agent/checkpoint/checkpoint_probe.h"
#include "agent/pipeline/pipeline_probe.h"
#include "agent/send/output.h"
#include "agent/send/send_probe.h"
#include "agent/tail/tail_probe.h"
#include "agent/tail/tailed_file.h"
#include "config/settings.h"

namespace sidelight {

// What a pipeline needs from outside; all of it outlives the pipeline.
struct PipelineContext {
  FileSystem& fs;
  const Clock& clock;
  Logger& log;
  TailProbe& tail_probe;
  PipelineProbe& pipeline_probe;
  CheckpointProbe& checkpoint_probe;
  SendProbe& send_probe;
  std::set<std::string> never_tail;          // paths of the program's own output streams
  std::set<std::string> never_tail_in = {};  // directories of the program, besides the settings' state_dir
  OpenFiles* open_files = nullptr;  // of the pipeline whose place this one takes; taken once it has started
};

// What stands at the end in place of the settings' output.
struct PipelineEnd {
  std::unique_ptr<Output> output;
  std::unique_ptr<Encoder> encoder;
};
using PipelineEndMaker = std::function<PipelineEnd(const OutputContext&)>;

// Runs from start() to destruction on threads of its own: one reads and batches, one commits checkpoints, the
// output has its own.
class Pipeline {
 public:
  // Batches go to the settings' output, or to what `make_end` makes.
  // Fails when the state directory cannot be used or a pattern in the settings is bad; the message says what
  // to do.
  static Expected<std::unique_ptr<Pipeline>> start(PipelineContext context, const Settings& settings,
                                                   const PipelineEndMaker& make_end = {});
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  enum class Stop {
    finish,  // read to the end of all files, send everything
    as_is,   // send what has been read (before a reload)
  };
  // Stops within `deadline`; commits the checkpoint. Returns true when nothing was left undelivered. Once.
  bool stop(Stop how, MonoTime deadline);
  // After stop(): what the next pipeline of this process would miss without a descriptor.
  OpenFiles take_open_files();

 private:
  struct Parts;
  explicit Pipeline(std::unique_ptr<Parts> parts);
  void run_worker();
  void run_committer();

  std::unique_ptr<Parts> parts_;
  std::atomic<bool> stopping_{false};
  std::mutex commit_mutex_;
  std::condition_variable commit_wake_;
  bool commit_stop_ = false;
  std::thread worker_thread_;
  std::thread commit_thread_;
};

}  // namespace sidelight
