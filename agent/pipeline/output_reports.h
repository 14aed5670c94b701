// What several outputs tell, as one: the metrics of the send stage are those of all outputs together.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/log.h"
#include "agent/send/send_probe.h"

namespace sidelight {

// The states of outputs, added up: up while all of them are; the cause is that of the first one that is not.
class OutputStates {
 public:
  explicit OutputStates(SendProbe& probe) : probe_(probe) {}
  std::size_t add() {
    states_.emplace_back();
    return states_.size() - 1;
  }
  void output_up(std::size_t output, bool up, std::string_view cause);
  void in_flight(std::size_t output, std::uint64_t requests, std::uint64_t bytes);
  void concurrency_limit(std::size_t output, double requests);
  SendProbe& probe() { return probe_; }

 private:
  struct State {
    bool known = false;
    bool up = false;
    std::string cause;
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    double limit = 0;
  };
  SendProbe& probe_;
  std::mutex mutex_;
  std::vector<State> states_;  // all are added before an output starts
};

// One output's part in it. Thread-safe.
class OneOutputProbe final : public SendProbe {
 public:
  explicit OneOutputProbe(OutputStates& all) : all_(all), place_(all.add()) {}
  void shipped(std::uint64_t n, std::uint64_t bytes) override { all_.probe().shipped(n, bytes); }
  void duplicates(std::uint64_t n) override { all_.probe().duplicates(n); }
  void id_conflicts(std::uint64_t n) override { all_.probe().id_conflicts(n); }
  void retried(std::uint64_t n, std::string_view reason) override { all_.probe().retried(n, reason); }
  void dead_lettered(std::uint64_t n, std::string_view reason) override {
    all_.probe().dead_lettered(n, reason);
  }
  void dead_letters_dropped(std::uint64_t n) override { all_.probe().dead_letters_dropped(n); }
  void request(double seconds, std::uint64_t bytes, int status) override {
    all_.probe().request(seconds, bytes, status);
  }
  void batch_acknowledged(double seconds) override { all_.probe().batch_acknowledged(seconds); }
  void output_up(bool up, std::string_view cause) override { all_.output_up(place_, up, cause); }
  void in_flight(std::uint64_t requests, std::uint64_t bytes) override {
    all_.in_flight(place_, requests, bytes);
  }
  void concurrency_limit(double requests) override { all_.concurrency_limit(place_, requests); }

 private:
  OutputStates& all_;
  std::size_t place_;
};

// Says which output a message is about.
class OneOutputLogger final : public Logger {
 public:
  OneOutputLogger(Logger& log, std::string name) : log_(log), name_(std::move(name)) {}
  void write(LogLevel level, std::string_view key, const std::string& message) override {
    // Messages of one key are held back together: each output has keys of its own.
    log_.write(level, std::string(key) + "." + name_, "output " + name_ + ": " + message);
  }

 private:
  Logger& log_;
  std::string name_;
};

}  // namespace sidelight
