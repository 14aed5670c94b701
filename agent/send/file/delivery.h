// Brings the documents of batches into a sink, each once. No thread, no waiting.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "agent/batch/batch.h"
#include "agent/send/file/delivered_ids.h"
#include "agent/send/file/sink.h"
#include "agent/send/output.h"

namespace sidelight {

// One thread.
class Delivery {
 public:
  // `load_ids` says what the sink holds already; it is asked when the first document comes that may be in it.
  Delivery(Sink& sink, OutputContext context, std::function<Expected<DeliveredIds>()> load_ids)
      : sink_(sink), ctx_(context), load_ids_(std::move(load_ids)) {}

  // Writes and settles every document that is not settled. After an error, call again with the same batch:
  // those that are settled by then stay so.
  Expected<void> deliver(Batch& batch);

 private:
  Expected<void> skip_delivered(Batch& batch);
  Expected<void> write_run(Batch& batch, std::size_t& first);

  Sink& sink_;
  OutputContext ctx_;
  std::function<Expected<DeliveredIds>()> load_ids_;
  std::optional<DeliveredIds> known_;
};

}  // namespace sidelight
