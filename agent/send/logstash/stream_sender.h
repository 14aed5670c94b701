// Sends windows of documents over connections of our own: protocols lumberjack and tcp.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "agent/send/elasticsearch/backoff.h"
#include "agent/send/logstash/held_batches.h"
#include "agent/send/logstash/link.h"
#include "agent/send/logstash/sender.h"

namespace sidelight {

// One thread, but for wake().
class StreamSender final : public LogstashSender {
 public:
  StreamSender(const LogstashOptions& options, OutputContext context, StreamClient& client,
               std::uint64_t seed);
  ~StreamSender() override;

  void accept(BatchPtr batch) override;
  void step(std::chrono::milliseconds max_wait) override;
  void start_draining() override;
  void abort() override;
  bool idle() const override { return held_.empty(); }
  std::size_t recycled_bytes() const override { return held_.recycled_bytes(); }
  void wake() override { client_.wake(); }

 private:
  struct Host {
    std::string name;  // for messages
    StreamTarget target;
    unsigned failures = 0;  // in a row
    MonoTime retry_at{};
    std::unique_ptr<Link> link;
    std::uint64_t told = 0;  // of link->acknowledged()
  };

  void look_at_links(MonoTime now);
  void on_progress(Host& host);
  void on_ended(Host& host, MonoTime now);
  void take_back(Host& host, std::string_view reason);
  void shrink_window(const Host& host);
  void retire_old_links(MonoTime now);
  void connect(MonoTime now);
  void open(Host& host);
  void give_work(MonoTime now);
  Host* with_room();
  bool is_retiring(const Link& link, MonoTime now) const;
  std::chrono::milliseconds wait_from(MonoTime now, std::chrono::milliseconds max_wait) const;
  void complain_of_waiting(Host& host, MonoTime now);
  void trim_when_quiet(MonoTime now);
  void down(std::string_view cause, const std::string& detail);
  void up();
  void report_flights();

  const LogstashOptions& options_;
  OutputContext ctx_;
  StreamClient& client_;
  Backoff backoff_;
  WindowWriter writer_;
  HeldBatches held_;
  std::vector<Host> hosts_;
  std::size_t next_host_ = 0;
  std::deque<DocRange> queue_;
  std::size_t window_;  // documents in one at most; adapts
  unsigned durable_failures_ = 0;
  MonoTime durable_again_{};
  bool draining_ = false;
  bool is_up_ = false;
  std::string down_cause_ = "unknown";  // as last told to the probe
  MonoTime last_activity_{};
  bool trimmed_ = true;
};

}  // namespace sidelight
