// What a collector is: it asks one target and says what it found. Everything else (when, how often, how long,
// what is shown when it fails) is the runner's business. docs/adding-a-collector.md says what a collector may
// not do.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/log.h"
#include "collectors/framework/samples.h"

namespace sidelight {

// Beyond it the run has failed, whatever it would still have said: check it between requests and give it to
// each of them.
class Deadline {
 public:
  Deadline(const Clock& clock, MonoTime at) : clock_(clock), at_(at) {}
  MonoTime at() const { return at_; }
  bool passed() const { return clock_.now() >= at_; }
  // Never less than 1 ms, since many libraries take 0 for "no limit".
  std::chrono::milliseconds left() const {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - clock_.now());
    return ms.count() < 1 ? std::chrono::milliseconds(1) : ms;
  }

 private:
  const Clock& clock_;
  MonoTime at_;
};

struct CollectRun {
  MonoTime now;  // when the run began
  WallNanos wall;
  Deadline deadline;
  Samples& out;
};

// Lives as long as its target is configured; keeps connections and what it needs to compute rates between
// runs. collect() is called by one thread at a time, not always the same; never again while an earlier call
// has not returned.
class Collector {
 public:
  virtual ~Collector() = default;
  // An error says what the target's operator must do (the missing right, the file to look at) and never holds
  // a secret. What was put into run.out before an error is not shown. May throw std::exception: that is a
  // failed run too.
  virtual Expected<void> collect(CollectRun& run) = 0;
};

// What every target has in the configuration.
struct TargetOptions {
  std::string name;  // the label `target`; default: host and port
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds timeout{4000};  // for one run
};

// One target, ready to be run.
struct CollectorTask {
  std::string collector;  // "rabbitmq"
  TargetOptions options;
  std::unique_ptr<Collector> work;
  bool target_label = true;  // false: its series are about this pod and carry no `target`
};

// What collectors need from outside; outlives them.
struct CollectorContext {
  FileSystem& fs;
  const Clock& clock;
  Logger& log;
};

}  // namespace sidelight
