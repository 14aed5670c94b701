// Sends JSON arrays of documents to Logstash's http input.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "agent/send/elasticsearch/backoff.h"
#include "agent/send/elasticsearch/compressor.h"
#include "agent/send/elasticsearch/credentials.h"
#include "agent/send/logstash/held_batches.h"
#include "agent/send/logstash/http_policy.h"
#include "agent/send/logstash/sender.h"

namespace sidelight {

// One thread, but for wake().
class HttpSender final : public LogstashSender {
 public:
  HttpSender(const LogstashOptions& options, OutputContext context, FileSystem& fs, HttpClient& client,
             std::uint64_t seed);
  ~HttpSender() override;

  void accept(BatchPtr batch) override;
  void step(std::chrono::milliseconds max_wait) override;
  void start_draining() override;
  void abort() override;
  bool idle() const override { return held_.empty(); }
  std::size_t recycled_bytes() const override { return held_.recycled_bytes(); }
  void wake() override { client_.wake(); }

 private:
  struct Host {
    std::string url;
    unsigned failures = 0;  // in a row
    bool on_trial = false;  // it failed, and one request tries it
    MonoTime retry_at{};
  };
  struct Flight {
    DocRange range;
    std::size_t host = 0;
    MonoTime started{};
    std::string body;
    GzipBuffer gzip;
    std::size_t wire_bytes = 0;
    std::size_t charged = 0;
  };
  using FlightIt = std::list<Flight>::iterator;

  bool start_one(MonoTime now);
  Host* pick(MonoTime now);
  MonoTime next_chance() const;
  void send(DocRange range, Host& host, const std::string& authorization);
  static std::string array_of(const DocRange& range);
  void on_result(FlightIt it, HttpResult result);
  void on_delivered(Flight& flight);
  void on_refused(Flight& flight, const HttpVerdict& verdict, const std::string& detail,
                  std::optional<std::chrono::seconds> retry_after);
  void split(const Flight& flight, const std::string& detail);
  void shrink_window();
  void close_gate(MonoTime now, std::optional<std::chrono::seconds> retry_after);
  std::chrono::milliseconds wait_from(MonoTime now, std::chrono::milliseconds max_wait) const;
  void trim_when_quiet(MonoTime now);
  void down(std::string_view cause, const std::string& detail);
  void up();
  void report_flights();

  const LogstashOptions& options_;
  OutputContext ctx_;
  HttpClient& client_;
  Backoff backoff_;
  Credentials credentials_;
  Compressor compressor_;
  HeldBatches held_;
  std::vector<Host> hosts_;
  std::size_t next_host_ = 0;
  std::size_t most_flights_;
  std::deque<DocRange> queue_;
  std::multimap<MonoTime, DocRange> waiting_;  // single documents that are too large for the destination
  std::list<Flight> flights_;
  std::size_t window_;  // documents in one request at most; learnt from 413 and time-outs
  MonoTime grow_at_{};
  unsigned refusals_ = 0;  // in a row
  MonoTime gate_opens_{};  // nothing starts before
  bool draining_ = false;
  bool aborting_ = false;
  bool is_up_ = false;
  std::string down_cause_ = "unknown";  // as last told to the probe
  MonoTime last_activity_{};
  bool trimmed_ = true;
};

}  // namespace sidelight
