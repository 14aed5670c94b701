// The output on its own thread, over the loopback interface.
#include "agent/send/logstash/output.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "tests/agent/send/logstash/scripted_streams.h"
#include "tests/agent/send/stream/loopback_listener.h"

namespace sidelight::test {
namespace {

// Acknowledges every window whole; one connection.
class TinyLogstash {
 public:
  TinyLogstash() : thread_([this] { serve(); }) {}
  ~TinyLogstash() {
    listener_.stop();
    thread_.join();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(listener_.port()); }
  std::size_t documents() {
    const std::lock_guard lock(mutex_);
    return documents_;
  }

 private:
  void serve() {
    const Socket client = listener_.accept();
    std::string bytes;
    for (;;) {
      const std::string more = client.read(1u << 16);
      if (more.empty()) return;
      bytes += more;
      try {
        for (const auto& window : read_windows(bytes)) {
          const std::lock_guard lock(mutex_);
          documents_ += window.size();
          std::string ack = "2A";
          for (int shift = 24; shift >= 0; shift -= 8)
            ack += static_cast<char>(window.size() >> shift & 0xffu);
          client.write(ack);
        }
        bytes.clear();
      } catch (const std::runtime_error&) {  // not whole yet
      }
    }
  }
  LoopbackListener listener_;
  std::mutex mutex_;
  std::size_t documents_ = 0;
  std::thread thread_;
};

class LogstashOutputTest : public ::testing::Test {
 protected:
  World world;
  PosixFileSystem fs;
  LogstashOptions options;
};

TEST_F(LogstashOutputTest, DrainDeliversWhatIsQueued) {
  TinyLogstash server;
  options.hosts = {server.address()};
  const auto output = make_logstash_output(options, world.context(), fs);
  for (std::size_t i = 0; i < 20; ++i) output->submit(make_batch(5, 5 * i, false));
  EXPECT_TRUE(output->drain(world.clock.now() + std::chrono::hours(1)));
  EXPECT_EQ(server.documents(), 100u);
  EXPECT_EQ(world.recycler.recycled, 20);
  EXPECT_EQ(output->queued_bytes(), 0u);
}

TEST_F(LogstashOutputTest, DrainGivesUpAtTheDeadlineAndSettlesNothingItDidNotDeliver) {
  LoopbackListener nobody;
  options.hosts = {"127.0.0.1:" + std::to_string(nobody.port())};
  nobody.stop();
  auto output = make_logstash_output(options, world.context(), fs);
  output->submit(make_batch(5, 0, false));
  EXPECT_FALSE(output->drain(world.clock.now()));
  EXPECT_GT(output->queued_bytes(), 0u);
  output.reset();
  EXPECT_TRUE(world.ledger.settled.empty());
}

TEST_F(LogstashOutputTest, TheIdIsPartOfTheDocumentWhereTheProtocolHasNoPlaceForIt) {
  for (const auto protocol : {LogstashProtocol::lumberjack, LogstashProtocol::http, LogstashProtocol::tcp}) {
    options.protocol = protocol;
    const auto output = make_logstash_output(options, world.context(), fs);
    EXPECT_EQ(output->encoding().with_ids, protocol != LogstashProtocol::lumberjack);
    EXPECT_EQ(output->encoding().shape, BulkShape::ndjson);
  }
}

}  // namespace
}  // namespace sidelight::test
