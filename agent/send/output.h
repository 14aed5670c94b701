// A destination. The pipeline hands it sealed batches; it settles each document exactly once, through the
// ledger, and only when the document is delivered or safely in the dead letters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "agent/base/budget.h"
#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/log.h"
#include "agent/batch/batch.h"
#include "agent/batch/encoder.h"
#include "agent/batch/replay_starts.h"
#include "agent/send/send_probe.h"

namespace sidelight {

// The outputs' view of the checkpoint. Thread-safe.
class DurabilityBarrier {
 public:
  virtual ~DurabilityBarrier() = default;
  // Blocks until everything that the checkpoint store was told up to `seq` is on disk. An error means: do not
  // send yet, try again.
  virtual Expected<void> sync_to(std::uint64_t seq) = 0;
  virtual ReplayStarts replay_starts() const = 0;
};

// Lets an output stop the reading of one input (dead letters full), by its index. Idempotent. Thread-safe.
class InputGate {
 public:
  virtual ~InputGate() = default;
  virtual void pause_input(std::uint32_t input, const std::string& why) = 0;
  virtual void resume_input(std::uint32_t input) = 0;
};

// Gets used batches back for reuse (and gives their charge back to the budget). Thread-safe.
class BatchRecycler {
 public:
  virtual ~BatchRecycler() = default;
  virtual void recycle(BatchPtr batch) = 0;
};

// What every output is given. The referenced objects outlive it.
struct OutputContext {
  const Clock& clock;
  Logger& log;
  Budget& budget;
  Ledger& ledger;
  DurabilityBarrier& barrier;
  InputGate& gate;
  BatchRecycler& recycler;
  SendProbe& probe;
};

// Runs a thread of its own between construction and destruction.
class Output {
 public:
  virtual ~Output() = default;
  // How its documents are to be encoded.
  virtual EncoderOptions encoding() const = 0;
  // Takes a sealed batch. Never blocks. From any thread.
  virtual void submit(BatchPtr batch) = 0;
  // Bytes of batches submitted and not yet recycled.
  virtual std::size_t queued_bytes() const = 0;
  // Try to deliver what is queued until `deadline`, without waiting out back-off; then stop. Blocks.
  // Undelivered documents stay unsettled. Returns true when nothing is left.
  virtual bool drain(MonoTime deadline) = 0;
  // Whether nothing can be delivered any more while this process lives: nothing is worth waiting for. From
  // any thread.
  virtual bool gone() const { return false; }
};

}  // namespace sidelight
