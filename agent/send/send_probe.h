// What the send stage tells about itself. Implemented by agent/observe; the stage does not know the metrics
// library.
#pragma once

#include <cstdint>
#include <string_view>

namespace sidelight {

// Thread-safe; cheap enough to be called once a request.
class SendProbe {
 public:
  virtual ~SendProbe() = default;
  virtual void shipped(std::uint64_t documents, std::uint64_t body_bytes) = 0;  // acknowledged
  virtual void duplicates(std::uint64_t documents) = 0;    // 409 inside the replay window: were there already
  virtual void id_conflicts(std::uint64_t documents) = 0;  // 409 outside of it
  virtual void retried(std::uint64_t documents,
                       std::string_view reason) = 0;  // reason: rejected | unavailable | timeout | connection
  virtual void dead_lettered(std::uint64_t documents,
                             std::string_view reason) = 0;  // reason: mapping | parsing | too_large | other
  virtual void dead_letters_dropped(std::uint64_t documents) = 0;  // on_full: drop_oldest
  virtual void request(double seconds, std::uint64_t wire_bytes,
                       int status) = 0;  // one finished request; status 0: no answer
  virtual void batch_acknowledged(double seconds_since_opened) = 0;
  virtual void output_up(bool up, std::string_view cause) = 0;  // cause: short, from a fixed set, "" when up
  virtual void in_flight(std::uint64_t requests, std::uint64_t bytes) = 0;
  virtual void concurrency_limit(double requests) = 0;
};

class NullSendProbe final : public SendProbe {
 public:
  void shipped(std::uint64_t, std::uint64_t) override {}
  void duplicates(std::uint64_t) override {}
  void id_conflicts(std::uint64_t) override {}
  void retried(std::uint64_t, std::string_view) override {}
  void dead_lettered(std::uint64_t, std::string_view) override {}
  void dead_letters_dropped(std::uint64_t) override {}
  void request(double, std::uint64_t, int) override {}
  void batch_acknowledged(double) override {}
  void output_up(bool, std::string_view) override {}
  void in_flight(std::uint64_t, std::uint64_t) override {}
  void concurrency_limit(double) override {}
};

}  // namespace sidelight
