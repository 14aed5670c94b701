#include "agent/send/logstash/http_sender.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/agent/send/support.h"

namespace sidelight::test {
namespace {

using namespace std::chrono_literals;
using Kind = TransportError::Kind;
using Action = HttpVerdict::Action;
using ::testing::ElementsAre;
using ::testing::Not;

HttpResult reply(long status, std::vector<std::pair<std::string, std::string>> headers = {}) {
  HttpResponse r;
  r.status = status;
  r.headers = std::move(headers);
  return r;
}

class HttpSenderTest : public ::testing::Test {
 protected:
  HttpSenderTest() {
    options.protocol = LogstashProtocol::http;
    options.hosts = {"http://one:8080/"};
    options.compression_level = 0;
    options.window = 10;
    options.backoff_initial = 100ms;
    options.backoff_max = 2000ms;
  }
  HttpSender& sender() {
    if (!sender_) sender_ = std::make_unique<HttpSender>(options, world.context(), fs, client, 7);
    return *sender_;
  }
  void give(std::size_t n, std::size_t first = 0) { sender().accept(make_batch(n, first, false)); }
  bool finish(int times = 200) {
    for (int i = 0; i < times && !sender().idle(); ++i) sender().step(60s);
    return sender().idle();
  }
  static std::vector<int> numbers(const std::string& body) {
    std::vector<int> out;
    for (const auto& d : nlohmann::json::parse(body)) out.push_back(d["n"].get<int>());
    return out;
  }
  // Answers the first requests with these, then 200.
  void answer(std::vector<long> statuses) {
    client.answer_with([list = std::move(statuses), at = std::size_t{0}](const auto&) mutable {
      return reply(at < list.size() ? list[at++] : 200);
    });
  }

  World world;
  PosixFileSystem fs;
  LogstashOptions options;
  ScriptedHttpClient client{world.clock, [](const auto&) { return reply(200); }};

 private:
  std::unique_ptr<HttpSender> sender_;
};

TEST_F(HttpSenderTest, DocumentsGoAsOneArray) {
  give(3);
  EXPECT_TRUE(finish());
  ASSERT_EQ(client.seen.size(), 1u);
  EXPECT_EQ(client.seen[0].method, "POST");
  EXPECT_EQ(client.seen[0].url, "http://one:8080");
  EXPECT_EQ(client.seen[0].headers["Content-Type"], "application/json");
  EXPECT_THAT(numbers(client.seen[0].body), ElementsAre(0, 1, 2));
  EXPECT_EQ(world.probe.shipped_docs, 3u);
  EXPECT_EQ(world.probe.states, std::vector<std::string>{""});
  EXPECT_EQ(world.budget.used(), 0u);
}

TEST_F(HttpSenderTest, RequestsAreCutToTheWindowAndSomeAreOnTheWayAtATime) {
  options.pipelining = 3;
  give(95);
  EXPECT_TRUE(finish());
  EXPECT_EQ(client.seen.size(), 10u);
  EXPECT_EQ(client.most_at_once, 3u);
}

TEST_F(HttpSenderTest, WhatIsRefusedIsSentAgain) {
  for (const long status : {429L, 500L, 503L, 404L, 400L, 401L, 403L, 408L, 302L}) {
    const std::size_t before = client.seen.size();
    const std::uint64_t shipped = world.probe.shipped_docs;
    answer({status, status});
    give(3);
    EXPECT_TRUE(finish()) << status;
    EXPECT_GE(client.seen.size() - before, 3u) << status;
    EXPECT_EQ(world.probe.shipped_docs - shipped, 3u);
    EXPECT_EQ(world.probe.states.back(), "");
  }
  EXPECT_EQ(world.probe.dead, 0u);
}

TEST_F(HttpSenderTest, RetryAfterIsHonoured) {
  client.answer_with([first = true](const auto&) mutable {
    return std::exchange(first, false) ? reply(429, {{"retry-after", "30"}}) : reply(200);
  });
  give(3);
  EXPECT_TRUE(finish());
  ASSERT_EQ(client.seen.size(), 2u);
  EXPECT_GE(client.seen[1].at - client.seen[0].at, 30s);
  EXPECT_TRUE(world.probe.saw("overloaded"));
}

TEST_F(HttpSenderTest, AfterARefusalOneRequestTriesForAll) {
  options.pipelining = 4;
  answer({429, 429, 429, 429});
  give(100);
  EXPECT_TRUE(finish());
  const auto at = [&](std::size_t i) { return client.seen[i].at; };
  EXPECT_EQ(at(3), at(0)) << "four went out together";
  EXPECT_GT(at(4), at(3));
  EXPECT_GT(at(5), at(4)) << "then one alone";
}

TEST_F(HttpSenderTest, TooMuchAtOnceGoesInParts) {
  client.answer_with([](const auto& r) { return reply(numbers(r.body).size() > 3 ? 413 : 200); });
  give(20);
  EXPECT_TRUE(finish());
  EXPECT_EQ(world.probe.shipped_docs, 20u);
}

TEST_F(HttpSenderTest, OneDocumentThatIsTooLargeWaitsAndItsNeighboursGo) {
  const auto has_five = [](const auto& r) {
    const auto n = numbers(r.body);
    return std::find(n.begin(), n.end(), 5) != n.end();
  };
  client.answer_with([&](const auto& r) { return reply(has_five(r) ? 413 : 200); });
  give(20);
  EXPECT_FALSE(finish());
  EXPECT_EQ(world.probe.shipped_docs, 19u);
  EXPECT_EQ(world.probe.states.back(), "too_large");
  answer({});
  EXPECT_TRUE(finish());
  EXPECT_EQ(world.probe.states.back(), "");
}

TEST_F(HttpSenderTest, ADeadHostIsLeftForAnother) {
  options.hosts = {"http://one:8080", "http://two:8080"};
  client.answer_with([](const auto& r) -> HttpResult {
    if (r.url == "http://one:8080") return std::unexpected(TransportError{Kind::connect, false, "refused"});
    return reply(200);
  });
  give(50);
  EXPECT_TRUE(finish());
  EXPECT_THAT(world.probe.states, Not(::testing::Contains("connect")));
}

TEST_F(HttpSenderTest, LoadIsBalanced) {
  options.hosts = {"http://one:8080", "http://two:8080"};
  options.load_balance = true;
  give(100);
  EXPECT_TRUE(finish());
  std::map<std::string, int> requests;
  for (const auto& r : client.seen) ++requests[r.url];
  EXPECT_EQ(requests["http://one:8080"], 5);
  EXPECT_EQ(requests["http://two:8080"], 5);
}

TEST_F(HttpSenderTest, ACutRequestIsSentAgain) {
  client.answer_with([first = true](const auto&) mutable -> HttpResult {
    if (std::exchange(first, false)) return std::unexpected(TransportError{Kind::reset, true, "cut"});
    return reply(200);
  });
  give(3);
  EXPECT_TRUE(finish());
  EXPECT_EQ(client.seen[0].body, client.seen[1].body);
  EXPECT_EQ(world.probe.retries["connection"], 3u);
}

TEST_F(HttpSenderTest, CredentialsAreSentAndReadAgainAfterARefusal) {
  const TempDir dir;
  const std::string file = dir.path() + "/password";
  const auto put = [&](const std::string& text) {
    auto f = fs.open(file, OpenMode::create_new);
    ASSERT_TRUE(f);
    ASSERT_TRUE((*f)->write(text));
  };
  put("old\n");
  options.username = "u";
  options.password_file = file;
  client.answer_with(
      [](const auto& r) { return reply(r.headers.at("Authorization") == "Basic dTpuZXc=" ? 200 : 401); });
  give(1);
  EXPECT_FALSE(finish(5));
  EXPECT_TRUE(world.probe.saw("unauthorized"));
  put("new\n");
  EXPECT_TRUE(finish());
}

TEST_F(HttpSenderTest, NothingIsSentBeforeItIsDurable) {
  world.barrier.failures = 2;
  give(3);
  sender().step(1s);
  EXPECT_TRUE(client.seen.empty());
  EXPECT_TRUE(world.probe.saw("state_unwritable"));
  EXPECT_TRUE(finish());
}

TEST_F(HttpSenderTest, AnAbortSettlesNothing) {
  give(3);
  sender().abort();
  EXPECT_FALSE(sender().idle());
  EXPECT_TRUE(world.ledger.settled.empty());
}

TEST(HttpPolicy, NothingButSuccessDelivers) {
  for (long status = 100; status < 600; ++status) {
    EXPECT_EQ(judge_http_answer(status).action == Action::delivered, status >= 200 && status < 300) << status;
  }
  EXPECT_EQ(judge_http_answer(413).action, Action::split);
  EXPECT_TRUE(judge_http_answer(401).renew_credentials);
  EXPECT_FALSE(judge_http_answer(429).host_fault);
  EXPECT_TRUE(judge_http_answer(503).host_fault);
  for (const auto kind :
       {Kind::resolve, Kind::connect, Kind::tls, Kind::timeout, Kind::reset, Kind::too_large, Kind::other}) {
    EXPECT_EQ(judge_http_failure({kind, true, ""}).action, Action::hold);
    EXPECT_FALSE(judge_http_failure({kind, true, ""}).cause.empty());
  }
}

}  // namespace
}  // namespace sidelight::test
