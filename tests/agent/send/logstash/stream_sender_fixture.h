// A StreamSender with a scripted other side.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "agent/send/logstash/stream_sender.h"
#include "tests/agent/send/logstash/scripted_streams.h"

namespace sidelight::test {

class StreamSenderTest : public ::testing::Test {
 protected:
  using Id = StreamClient::Id;

  StreamSenderTest() {
    options.hosts = {"one:5044"};
    options.compression_level = 0;
    options.pipelining = 1;
    options.window = 10;
    options.backoff_initial = std::chrono::milliseconds(100);
    options.backoff_max = std::chrono::milliseconds(2000);
    options.timeout = std::chrono::milliseconds(1000);
  }

  StreamSender& sender() {
    if (!sender_) sender_ = std::make_unique<StreamSender>(options, world.context(), streams, 7);
    return *sender_;
  }
  void give(std::size_t n, std::size_t first = 0) { sender().accept(make_batch(n, first, false)); }
  void step(int times = 1) {
    for (int i = 0; i < times; ++i) sender().step(std::chrono::seconds(60));
  }
  // Whatever happens without waiting.
  void let_run() {
    for (int i = 0; i < 15; ++i) sender().step(std::chrono::milliseconds(0));
  }
  // Until everything is settled, or `times` steps.
  bool finish(int times = 200) {
    for (int i = 0; i < times && !sender().idle(); ++i) step();
    return sender().idle();
  }
  std::vector<std::vector<nlohmann::json>> windows(Id id) {
    return read_windows(streams.connections[id].received);
  }
  // The "n" of the documents that one window carried.
  static std::vector<int> numbers(const std::vector<nlohmann::json>& window) {
    std::vector<int> out;
    for (const auto& d : window) out.push_back(d["n"].get<int>());
    return out;
  }
  // Acknowledges each window whole.
  void good_server() {
    streams.server = [this](Id id) {
      streams.acknowledge(id, static_cast<std::uint32_t>(windows(id).back().size()));
    };
  }
  // Documents sent over all connections, with repeats.
  std::map<int, int> times_sent() {
    std::map<int, int> times;
    for (const auto& [id, c] : streams.connections) {
      for (const auto& w : windows(id)) {
        for (const int n : numbers(w)) ++times[n];
      }
    }
    return times;
  }

  World world;
  ScriptedStreams streams{world.clock};
  LogstashOptions options;

 private:
  std::unique_ptr<StreamSender> sender_;
};

}  // namespace sidelight::test
