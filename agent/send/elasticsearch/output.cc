#include "agent/send/elasticsearch/output.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "agent/send/elasticsearch/sender.h"

namespace sidelight {
namespace {

constexpr std::chrono::milliseconds kIdleStep{1000};  // a dead-letter replay is answered within this
constexpr std::chrono::milliseconds kDrainStep{50};

class ElasticsearchOutput final : public Output {
 public:
  ElasticsearchOutput(ElasticsearchOptions options, OutputContext context, FileSystem& fs,
                      std::unique_ptr<HttpClient> client)
      : options_(std::move(options)),
        clock_(context.clock),
        client_(std::move(client)),
        sender_(options_, context, fs, *client_, std::random_device{}()),
        thread_([this] { run(); }) {}

  ~ElasticsearchOutput() override {
    stop_ = true;
    client_->wake();
    thread_.join();
  }

  EncoderOptions encoding() const override {
    EncoderOptions e;
    const bool dated = options_.data_stream.empty() && options_.index.find('%') != std::string::npos;
    e.shape = dated ? BulkShape::dated_index : BulkShape::fixed_target;
    e.with_ids = !options_.at_least_once;
    if (dated) e.index_pattern = options_.index;
    return e;
  }

  void submit(BatchPtr batch) override {
    queued_ += batch->body.size();
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(batch));
      drained_ = false;
    }
    client_->wake();
  }

  std::size_t queued_bytes() const override { return queued_; }

  bool drain(MonoTime deadline) override {
    std::unique_lock lock(mutex_);
    draining_ = true;
    deadline_ = deadline;
    client_->wake();
    drain_ended_.wait(lock, [this] { return drained_ || gave_up_; });
    return drained_;
  }

 private:
  void run();
  void take_inbox();
  // True when the thread has to end.
  bool look_after_drain();

  const ElasticsearchOptions options_;
  const Clock& clock_;
  std::unique_ptr<HttpClient> client_;
  Sender sender_;  // the thread's
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

void ElasticsearchOutput::take_inbox() {
  std::vector<BatchPtr> batches;
  {
    const std::lock_guard lock(mutex_);
    batches.swap(inbox_);
  }
  for (auto& b : batches) sender_.accept(std::move(b));
  const std::size_t recycled = sender_.recycled_bytes();
  queued_ -= recycled - recycled_seen_;
  recycled_seen_ = recycled;
}

bool ElasticsearchOutput::look_after_drain() {
  const std::lock_guard lock(mutex_);
  if (!draining_) return false;
  if (!sender_drains_) {
    sender_.start_draining();
    sender_drains_ = true;
  }
  if (inbox_.empty() && sender_.idle()) {
    drained_ = true;
  } else if (clock_.now() >= deadline_) {
    gave_up_ = true;
    sender_.abort();
  }
  if (drained_ || gave_up_) drain_ended_.notify_all();
  return gave_up_;
}

void ElasticsearchOutput::run() {
  while (!stop_) {
    take_inbox();
    if (look_after_drain()) return;
    sender_.step(sender_drains_ ? kDrainStep : kIdleStep);
  }
}

}  // namespace

std::unique_ptr<Output> make_elasticsearch_output(ElasticsearchOptions options, OutputContext context,
                                                  FileSystem& fs, std::unique_ptr<HttpClient> client) {
  return std::make_unique<ElasticsearchOutput>(std::move(options), context, fs, std::move(client));
}

}  // namespace sidelight
