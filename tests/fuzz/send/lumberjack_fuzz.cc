// What a Lumberjack server answers is bytes from outside: whatever they are and however they are cut, nothing
// crashes, no more documents are settled than were sent, and the cuts make no difference to what is read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "agent/send/logstash/lumberjack_frames.h"
#include "agent/send/logstash/stream_sender.h"

namespace sidelight {
namespace {

// The numbers in `bytes` read in pieces of `piece`; the second says whether the stream stayed readable.
std::pair<std::vector<std::uint32_t>, bool> read(std::string_view bytes, std::size_t piece) {
  AckReader reader;
  std::vector<std::uint32_t> numbers;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::string_view part = bytes.substr(at, piece);
    for (;;) {
      const auto number = reader.next(part);
      if (!number) return {numbers, false};
      if (!*number) break;
      numbers.push_back(**number);
    }
  }
  return {numbers, true};
}

class StillClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(Nanos(1'000'000'000)); }
  WallNanos wall() const override { return 0; }
};

// One connection that takes everything at once and answers with the input.
class Answering final : public StreamClient {
 public:
  explicit Answering(std::string_view answer) : answer_(answer) {}
  Id open(const StreamTarget&, StreamEvents& events) override {
    events_ = &events;
    news_ = true;
    return ++last_;
  }
  void send(Id, std::string_view bytes) override { sending_ = bytes.size(); }
  std::size_t unacknowledged(Id) override { return 0; }
  void close(Id) override { events_ = nullptr; }
  void run_once(std::chrono::milliseconds) override {
    if (std::exchange(news_, false) && events_ != nullptr) events_->on_open();
    if (const std::size_t n = std::exchange(sending_, 0); n > 0 && events_ != nullptr)
      events_->on_sent(n, true);
    if (events_ == nullptr || answer_.empty()) return;
    const std::size_t n =
        std::min<std::size_t>(answer_.size(), 1 + static_cast<unsigned char>(answer_[0]) % 13);
    const std::string_view part = answer_.substr(0, n);
    answer_.remove_prefix(n);
    events_->on_bytes(part);
  }
  void wake() override {}
  bool spent() const { return answer_.empty(); }

 private:
  std::string_view answer_;
  StreamEvents* events_ = nullptr;
  bool news_ = false;
  std::size_t sending_ = 0;
  Id last_ = 0;
};

struct Counters final : Ledger, DurabilityBarrier, InputGate, BatchRecycler {
  std::size_t spans = 0;
  std::size_t batches = 0;
  void span_settled(std::uint64_t) override { ++spans; }
  Expected<void> sync_to(std::uint64_t) override { return {}; }
  ReplayStarts replay_starts() const override { return {}; }
  void pause_input(std::uint32_t, const std::string&) override {}
  void resume_input(std::uint32_t) override {}
  void recycle(BatchPtr batch) override {
    for (const Doc& d : batch->docs) {
      if (!d.settled) std::abort();
    }
    ++batches;
  }
};

BatchPtr batch_of(std::uint32_t n) {
  auto batch = std::make_unique<Batch>();
  const auto source = std::make_shared<Source>(Source{0, "/log", "AAAAAAAAAAAAAAAAAAAAAA"});
  batch->spans.push_back({.ledger_span = 1, .source = source, .pending = n});
  for (std::uint32_t i = 0; i < n; ++i) {
    Doc& d = batch->docs.emplace_back();
    d.body_begin = d.source_begin = static_cast<std::uint32_t>(batch->body.size());
    batch->body += "{\"n\":1}\n";
    d.body_end = static_cast<std::uint32_t>(batch->body.size());
    d.begin = i;
    d.end = i + 1;
  }
  return batch;
}

void drive(std::string_view answer) {
  LogstashOptions options;
  options.hosts = {"h"};
  options.window = 4;
  options.compression_level = 0;
  const StillClock clock;
  NullLogger log;
  NullSendProbe probe;
  Budget budget(1u << 20);
  Counters counters;
  Answering streams(answer);
  StreamSender sender(options, {clock, log, budget, counters, counters, counters, counters, probe}, streams,
                      1);
  sender.accept(batch_of(10));
  for (std::size_t i = 0; i < answer.size() + 10 && !sender.idle(); ++i)
    sender.step(std::chrono::milliseconds(0));
  if (counters.spans > 1 || counters.batches > 1 || (counters.batches == 1) != sender.idle()) std::abort();
  sender.abort();
  if (budget.used() != 0) std::abort();
}

}  // namespace
}  // namespace sidelight

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = sidelight::read(bytes, size + 1);
  for (const std::size_t piece : {1u, 2u, 5u, 7u}) {
    if (sidelight::read(bytes, piece) != whole) std::abort();
  }
  if (whole.first.size() > size / 6) std::abort();
  sidelight::drive(bytes);
  return 0;
}
