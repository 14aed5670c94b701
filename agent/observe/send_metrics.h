// The send stage's probe, as metrics.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "agent/observe/metric_families.h"
#include "agent/send/send_probe.h"

namespace sidelight {

class SendMetrics final : public SendProbe {
 public:
  explicit SendMetrics(MetricFamilies& families);
  void shipped(std::uint64_t documents, std::uint64_t body_bytes) override;
  void duplicates(std::uint64_t documents) override;
  void id_conflicts(std::uint64_t documents) override;
  void retried(std::uint64_t documents, std::string_view reason) override;
  void dead_lettered(std::uint64_t documents, std::string_view reason) override;
  void dead_letters_dropped(std::uint64_t documents) override;
  void request(double seconds, std::uint64_t wire_bytes, int status) override;
  void batch_acknowledged(double seconds_since_opened) override;
  void output_up(bool up, std::string_view cause) override;
  void in_flight(std::uint64_t requests, std::uint64_t bytes) override;
  void concurrency_limit(double requests) override;

 private:
  // Counters by a label whose values are known; anything else counts as "other".
  using ByValue = std::map<std::string, Counter*, std::less<>>;
  static void count(const ByValue& counters, std::string_view value, std::uint64_t n);

  Counter& shipped_events_;
  Counter& shipped_bytes_;
  Counter& duplicates_;
  Counter& id_conflicts_;
  ByValue retried_;
  ByValue dead_lettered_;
  Counter& dead_letters_dropped_;
  ByValue requests_;
  Counter& request_bytes_;
  Histogram& request_seconds_;
  Histogram& batch_seconds_;
  Gauge& up_;
  Family<Gauge>& down_cause_;
  Gauge& requests_in_flight_;
  Gauge& bytes_in_flight_;
  Gauge& concurrency_limit_;

  std::mutex mutex_;                                   // guards the two below
  std::map<std::string, Gauge*, std::less<>> causes_;  // seen so far; capped
  Gauge* current_cause_ = nullptr;
};

}  // namespace sidelight
