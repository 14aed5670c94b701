// The Asio client against bare sockets of the loopback interface. TLS is tested end to end
// (tests/e2e/test_logstash.py).
#include <gmock/gmock.h>

#include <functional>
#include <thread>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/stream_client.h"
#include "tests/agent/send/stream/loopback_listener.h"
#include "tests/agent/send/unanswered_names.h"

namespace sidelight {
namespace {

using namespace std::chrono_literals;
using test::LoopbackListener;
using test::Socket;
using ::testing::HasSubstr;

struct Recorder final : StreamEvents {
  void on_open() override { opened = true; }
  void on_bytes(std::string_view bytes) override { said += bytes; }
  void on_sent(std::size_t n, bool done) override {
    parts.push_back(n);
    all_sent = done;
  }
  void on_closed(const StreamError& e) override {
    ++ends;
    error = e;
  }
  bool opened = false;
  std::string said;
  std::vector<std::size_t> parts;
  bool all_sent = false;
  int ends = 0;
  StreamError error;
};

class AsioStreamClientTest : public ::testing::Test {
 protected:
  StreamTarget target() const { return {"127.0.0.1", listener.port(), std::nullopt, 10s}; }
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds patience = 5s) {
    const SystemClock clock;
    const MonoTime end = clock.now() + patience;
    while (!done() && clock.now() < end) client->run_once(20ms);
    return done();
  }
  LoopbackListener listener;
  Recorder events;
  std::unique_ptr<StreamClient> client = make_asio_stream_client();
};

TEST_F(AsioStreamClientTest, BytesGoBothWays) {
  const auto id = client->open(target(), events);
  ASSERT_TRUE(run_until([&] { return events.opened; }));
  const Socket peer = listener.accept();
  const std::string hello = "hello";
  client->send(id, hello);
  ASSERT_TRUE(run_until([&] { return events.all_sent; }));
  EXPECT_EQ(peer.read(100), "hello");
  peer.write("good day");
  ASSERT_TRUE(run_until([&] { return events.said == "good day"; }));
  EXPECT_TRUE(run_until([&] { return client->unacknowledged(id) == 0; }));
  EXPECT_EQ(events.ends, 0);
}

TEST_F(AsioStreamClientTest, ALargeSendShowsItsProgressAndWaitsForASlowReader) {
  const auto id = client->open(target(), events);
  ASSERT_TRUE(run_until([&] { return events.opened; }));
  const Socket peer = listener.accept();
  const std::string much(32u << 20, 'x');
  client->send(id, much);
  EXPECT_FALSE(run_until([&] { return events.all_sent; }, 300ms)) << "nobody reads";
  EXPECT_GT(client->unacknowledged(id), 0u);
  std::size_t read = 0;
  std::thread reader([&] {
    while (read < much.size()) {
      const auto n = peer.read(1u << 20).size();
      if (n == 0) return;
      read += n;
    }
  });
  EXPECT_TRUE(run_until([&] { return events.all_sent; }, 20s));
  reader.join();
  EXPECT_EQ(read, much.size());
  EXPECT_GT(events.parts.size(), 100u);
  std::size_t sum = 0;
  for (const auto n : events.parts) sum += n;
  EXPECT_EQ(sum, much.size());
}

TEST_F(AsioStreamClientTest, ARefusedConnectionIsTold) {
  listener.stop();
  const StreamTarget nobody = target();
  client->open(nobody, events);
  ASSERT_TRUE(run_until([&] { return events.ends > 0; }));
  EXPECT_EQ(events.error.kind, StreamError::Kind::connect);
  EXPECT_THAT(events.error.message, HasSubstr("Connection refused"));
  EXPECT_FALSE(events.opened);
}

TEST_F(AsioStreamClientTest, ANameThatDoesNotExistIsTold) {
  StreamTarget t = target();
  t.host = "no-such-name.invalid";
  client->open(t, events);
  ASSERT_TRUE(run_until([&] { return events.ends > 0; }, 20s));
  EXPECT_EQ(events.error.kind, StreamError::Kind::resolve);
  EXPECT_THAT(events.error.message, HasSubstr("no-such-name.invalid"));
}

TEST_F(AsioStreamClientTest, ANameServerThatDoesNotAnswerHoldsUpNeitherOtherNamesNorTheEnd) {
  const test::UnansweredNames names;
  Recorder lost;
  client->open({"logstash.unanswered.invalid", 5044, std::nullopt, 50ms}, lost);
  ASSERT_TRUE(names.wait_for(1));
  StreamTarget well = target();
  well.host = "localhost";
  client->open(well, events);
  EXPECT_TRUE(run_until([&] { return events.opened; })) << events.error.message;
  ASSERT_TRUE(run_until([&] { return lost.ends > 0; }));
  EXPECT_EQ(lost.error.kind, StreamError::Kind::timeout);
  EXPECT_EQ(names.waiting(), 1u) << "somebody waited for the name";

  Recorder open;
  client->open({"logstash.unanswered.invalid", 5044, std::nullopt, 30s}, open);
  ASSERT_TRUE(names.wait_for(2));
  client.reset();
  EXPECT_EQ(names.waiting(), 2u) << "the end of the client waited for the name";
  EXPECT_EQ(open.ends, 0);
}

TEST_F(AsioStreamClientTest, AnAnswerThatComesTooLateIsNobodys) {
  const test::UnansweredNames names;
  const auto id = client->open({"logstash.unanswered.invalid", 5044, std::nullopt, 30s}, events);
  ASSERT_TRUE(names.wait_for(1));
  client->close(id);
  names.answer();
  Recorder next;
  client->open({"second.unanswered.invalid", 5044, std::nullopt, 30s}, next);
  ASSERT_TRUE(run_until([&] { return next.ends > 0; }));
  EXPECT_EQ(next.error.kind, StreamError::Kind::resolve);
  EXPECT_EQ(events.ends, 0);
}

TEST_F(AsioStreamClientTest, UnansweredLookupsAreCounted) {
  const test::UnansweredNames names;
  Recorder waiting;
  for (std::size_t i = 0; i < 32; ++i)
    client->open({"logstash.unanswered.invalid", 5044, std::nullopt, 30s}, waiting);
  ASSERT_TRUE(names.wait_for(32));
  client->open({"logstash.unanswered.invalid", 5044, std::nullopt, 30s}, events);
  ASSERT_TRUE(run_until([&] { return events.ends > 0; }));
  EXPECT_EQ(events.error.kind, StreamError::Kind::resolve);
  EXPECT_THAT(events.error.message, HasSubstr("has not answered 32 lookups"));
  EXPECT_EQ(waiting.ends, 0);
  Recorder address;
  client->open(target(), address);
  EXPECT_TRUE(run_until([&] { return address.opened; })) << "an address needs no lookup";
}

TEST_F(AsioStreamClientTest, TheEndOfTheOtherSideIsTold) {
  client->open(target(), events);
  ASSERT_TRUE(run_until([&] { return events.opened; }));
  Socket peer = listener.accept();
  peer.write("last words");
  peer.close();
  ASSERT_TRUE(run_until([&] { return events.ends > 0; }));
  EXPECT_EQ(events.said, "last words");
  EXPECT_EQ(events.error.kind, StreamError::Kind::closed);
}

TEST_F(AsioStreamClientTest, AResetInTheMiddleOfASendIsToldOnce) {
  const auto id = client->open(target(), events);
  ASSERT_TRUE(run_until([&] { return events.opened; }));
  Socket peer = listener.accept();
  const std::string much(32u << 20, 'x');
  client->send(id, much);
  run_until([] { return false; }, 100ms);
  peer.reset();
  ASSERT_TRUE(run_until([&] { return events.ends > 0; }));
  run_until([] { return false; }, 700ms);
  EXPECT_EQ(events.ends, 1);
  EXPECT_EQ(events.error.kind, StreamError::Kind::closed);
}

TEST_F(AsioStreamClientTest, NothingIsToldAfterClose) {
  auto id = client->open(target(), events);
  client->close(id);  // while it is being made
  run_until([] { return false; }, 100ms);
  EXPECT_FALSE(events.opened);
  id = client->open(target(), events);
  ASSERT_TRUE(run_until([&] { return events.opened; }));
  {
    const std::string gone(32u << 20, 'x');
    client->send(id, gone);
    client->close(id);
  }
  client->close(id);
  client->close(4711);
  run_until([] { return false; }, 100ms);
  EXPECT_EQ(events.ends, 0);
  EXPECT_TRUE(events.parts.empty());
}

TEST_F(AsioStreamClientTest, AHandshakeThatNeverComesTimesOut) {
  StreamTarget t = target();
  t.tls = TlsOptions{};
  t.connect_timeout = 200ms;
  client->open(t, events);
  ASSERT_TRUE(run_until([&] { return events.ends > 0; }));
  EXPECT_EQ(events.error.kind, StreamError::Kind::timeout);
  EXPECT_THAT(events.error.message, HasSubstr("200 ms"));
}

TEST_F(AsioStreamClientTest, AFileThatIsNoCertificateIsNamed) {
  StreamTarget t = target();
  t.tls = TlsOptions{};
  t.tls->ca_file = "/dev/null";
  client->open(t, events);
  ASSERT_TRUE(run_until([&] { return events.ends > 0; }));
  EXPECT_EQ(events.error.kind, StreamError::Kind::tls);
  EXPECT_THAT(events.error.message, HasSubstr("/dev/null"));
}

TEST_F(AsioStreamClientTest, WakeEndsAWait) {
  const SystemClock clock;
  const MonoTime begin = clock.now();
  std::thread waker([&] { client->wake(); });
  client->run_once(30s);
  waker.join();
  EXPECT_LT(clock.now() - begin, 10s);
}

}  // namespace
}  // namespace sidelight
