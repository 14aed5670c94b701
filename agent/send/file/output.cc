#include "agent/send/file/output.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "agent/send/file/delivered_ids.h"
#include "agent/send/file/delivery.h"
#include "agent/send/file/file_sink.h"
#include "agent/send/file/stdout_sink.h"

namespace sidelight {
namespace {

constexpr std::chrono::milliseconds kFirstWait{200};
constexpr std::chrono::milliseconds kMostWait{5000};
constexpr std::chrono::milliseconds kDrainWait{100};

std::string_view cause_of(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "disk_full";
    case EPIPE:
    case EBADF:
      return "stdout_closed";
    case EAGAIN:
      return "stdout_full";
    default:
      return "unwritable";
  }
}

class FileOutput final : public Output {
 public:
  FileOutput(FileOutputOptions options, OutputContext context, FileSystem& fs)
      : options_(std::move(options)),
        ctx_(context),
        fs_(fs),
        file_(options_, fs),
        stdout_(STDOUT_FILENO),
        delivery_(sink(), context, [this] { return load_ids(); }),
        thread_([this] { run(); }) {}

  ~FileOutput() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  EncoderOptions encoding() const override {
    return {.shape = BulkShape::ndjson, .with_ids = true, .index_pattern = {}};
  }

  void submit(BatchPtr batch) override {
    {
      const std::lock_guard lock(mutex_);
      queued_ += batch->body.size();
      queue_.push_back(std::move(batch));
    }
    changed_.notify_all();
  }

  std::size_t queued_bytes() const override { return queued_; }
  bool gone() const override { return gone_; }

  bool drain(MonoTime deadline) override {
    std::unique_lock lock(mutex_);
    draining_ = true;
    deadline_ = deadline;
    changed_.notify_all();
    changed_.wait(lock, [this] { return gave_up_ || (queue_.empty() && !busy_); });
    return queue_.empty() && !busy_;
  }

 private:
  Sink& sink() {
    if (options_.path.empty()) return stdout_;
    return file_;
  }

  Expected<DeliveredIds> load_ids() {
    if (options_.path.empty()) return DeliveredIds();  // what went there cannot be read back
    return DeliveredIds::load(output_files(options_, fs_), fs_, ctx_.barrier.replay_starts(),
                              [this] { return has_to_end(); });
  }

  bool has_to_end();
  void run();
  bool deliver_one(Batch& batch, std::chrono::milliseconds& wait);
  bool stop_waiting(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds wait);
  void report(bool up, std::string_view cause, const std::string& message);

  const FileOutputOptions options_;
  OutputContext ctx_;
  FileSystem& fs_;
  FileSink file_;
  StdoutSink stdout_;
  Delivery delivery_;
  std::atomic<std::size_t> queued_{0};
  std::atomic<bool> gone_{false};  // the reader of our standard output; a pipe gets no other

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<BatchPtr> queue_;
  bool busy_ = false;  // a batch is out of the queue and not yet done
  bool stop_ = false;
  bool draining_ = false;
  bool gave_up_ = false;
  MonoTime deadline_{};

  std::string cause_ = "unknown";  // the thread's; empty: up
  std::thread thread_;             // last: everything above is there before it starts
};

bool FileOutput::has_to_end() {
  const std::lock_guard lock(mutex_);
  return stop_ || (draining_ && ctx_.clock.now() >= deadline_);
}

void FileOutput::run() {
  std::unique_lock lock(mutex_);
  std::chrono::milliseconds wait = kFirstWait;
  BatchPtr batch;
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || !queue_.empty() || batch; });
    if (stop_) return;
    if (!batch) {
      batch = std::move(queue_.front());
      queue_.pop_front();
      busy_ = true;
    }
    lock.unlock();
    const std::size_t bytes = batch->body.size();
    const bool done = deliver_one(*batch, wait);
    if (done) ctx_.recycler.recycle(std::exchange(batch, nullptr));
    lock.lock();
    if (done) {
      queued_ -= bytes;
      busy_ = false;
      changed_.notify_all();
    } else if (stop_waiting(lock, wait)) {
      return;
    } else {
      wait = std::min(wait * 2, kMostWait);
    }
  }
}

bool FileOutput::deliver_one(Batch& batch, std::chrono::milliseconds& wait) {
  const auto delivered = delivery_.deliver(batch);
  if (!delivered) {
    if (delivered.error().code == ECANCELED) return false;
    if (options_.path.empty() && delivered.error().code == EPIPE) gone_ = true;
    report(false, cause_of(delivered.error().code), delivered.error().message);
    return false;
  }
  report(true, "", "");
  wait = kFirstWait;
  ctx_.probe.batch_acknowledged(std::chrono::duration<double>(ctx_.clock.now() - batch.opened).count());
  return true;
}

// Sits a back-off out, unless the program ends. True when the thread has to.
bool FileOutput::stop_waiting(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds wait) {
  if (draining_ && (gone_ || ctx_.clock.now() >= deadline_)) {
    gave_up_ = true;
    changed_.notify_all();
    return true;
  }
  changed_.wait_for(lock, draining_ ? kDrainWait : wait,
                    [this, was = draining_] { return stop_ || draining_ != was; });
  return stop_;
}

void FileOutput::report(bool up, std::string_view cause, const std::string& message) {
  if (cause_ == cause) return;
  cause_ = cause;
  ctx_.probe.output_up(up, cause);
  const std::string name = options_.path.empty() ? "the standard output" : "the file output";
  if (up) {
    ctx_.log.info("send.up", name + " works");
  } else {
    ctx_.log.warn("send.down", name + " is held up (" + cause_ + "): " + message);
  }
}

}  // namespace

std::unique_ptr<Output> make_file_output(FileOutputOptions options, OutputContext context, FileSystem& fs) {
  return std::make_unique<FileOutput>(std::move(options), context, fs);
}

}  // namespace sidelight
