#include "agent/send/logstash/output.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "agent/send/logstash/sender.h"

namespace sidelight {
namespace {

constexpr std::chrono::milliseconds kIdleStep{60000};
constexpr std::chrono::milliseconds kDrainStep{50};

class LogstashOutput final : public Output {
 public:
  LogstashOutput(LogstashOptions options, OutputContext context, FileSystem& fs)
      : options_(std::move(options)),
        clock_(context.clock),
        sender_(make_sender(context, fs)),
        thread_([this] { run(); }) {}

  ~LogstashOutput() override {
    stop_ = true;
    sender_->wake();
    thread_.join();
  }

  // With Lumberjack the id travels in @metadata, and the document stays as it is.
  EncoderOptions encoding() const override {
    return {.shape = BulkShape::ndjson,
            .with_ids = options_.protocol != LogstashProtocol::lumberjack,
            .index_pattern = {}};
  }

  void submit(BatchPtr batch) override {
    queued_ += batch->body.size();
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(batch));
      drained_ = false;
    }
    sender_->wake();
  }

  std::size_t queued_bytes() const override { return queued_; }

  bool drain(MonoTime deadline) override {
    std::unique_lock lock(mutex_);
    draining_ = true;
    deadline_ = deadline;
    sender_->wake();
    drain_ended_.wait(lock, [this] { return drained_ || gave_up_; });
    return drained_;
  }

 private:
  std::unique_ptr<LogstashSender> make_sender(OutputContext context, FileSystem& fs) {
    const std::uint64_t seed = std::random_device{}();
    if (options_.protocol == LogstashProtocol::http) {
      http_ = make_curl_http_client();
      return make_http_sender(options_, context, fs, *http_, seed);
    }
    streams_ = make_asio_stream_client();
    return make_stream_sender(options_, context, *streams_, seed);
  }
  void run();
  void take_inbox();
  // True when the thread has to end.
  bool look_after_drain();

  const LogstashOptions options_;
  const Clock& clock_;
  std::unique_ptr<StreamClient> streams_;  // one of these two
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<LogstashSender> sender_;  // the thread's
  std::atomic<std::size_t> queued_{0};
  std::atomic<bool> stop_{false};

  std::mutex mutex_;
  std::condition_variable drain_ended_;
  std::vector<BatchPtr> inbox_;
  bool draining_ = false;
  bool drained_ = false;
  bool gave_up_ = false;
  MonoTime deadline_{};

  bool sender_drains_ = false;  // the thread's
  std::size_t recycled_seen_ = 0;
  std::thread thread_;  // last: everything above is there before it starts
};

void LogstashOutput::take_inbox() {
  std::vector<BatchPtr> batches;
  {
    const std::lock_guard lock(mutex_);
    batches.swap(inbox_);
  }
  for (auto& b : batches) sender_->accept(std::move(b));
  const std::size_t recycled = sender_->recycled_bytes();
  queued_ -= recycled - recycled_seen_;
  recycled_seen_ = recycled;
}

bool LogstashOutput::look_after_drain() {
  const std::lock_guard lock(mutex_);
  if (!draining_) return false;
  if (!sender_drains_) {
    sender_->start_draining();
    sender_drains_ = true;
  }
  if (inbox_.empty() && sender_->idle()) {
    drained_ = true;
  } else if (clock_.now() >= deadline_) {
    gave_up_ = true;
    sender_->abort();
  }
  if (drained_ || gave_up_) drain_ended_.notify_all();
  return gave_up_;
}

void LogstashOutput::run() {
  while (!stop_) {
    take_inbox();
    if (look_after_drain()) return;
    sender_->step(sender_drains_ ? kDrainStep : kIdleStep);
  }
}

}  // namespace

std::unique_ptr<Output> make_logstash_output(LogstashOptions options, OutputContext context, FileSystem& fs) {
  return std::make_unique<LogstashOutput>(std::move(options), context, fs);
}

}  // namespace sidelight
