// Delivery, overload and outage.
#include "tests/agent/send/elasticsearch/sender_fixture.h"

#include <zlib.h>

namespace sidelight::test {
namespace {

std::string gunzip(const std::string& packed) {
  std::string out(1 << 20, '\0');
  z_stream z{};
  inflateInit2(&z, 16 + MAX_WBITS);
  std::string in = packed;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

TEST_F(SenderTest, DeliversAndSettlesEveryDocument) {
  sender().accept(make_batch(5));
  sender().accept(make_batch(3, 5));
  ASSERT_TRUE(run());
  expect_each_stored_once(8);
  EXPECT_EQ(world.ledger.settled, (std::vector<std::uint64_t>{0, 5}));
  EXPECT_EQ(world.recycler.recycled, 2);
  EXPECT_EQ(world.probe.shipped_docs, 8u);
  EXPECT_EQ(world.probe.states, std::vector<std::string>{""});
}

TEST_F(SenderTest, AsksForTheStreamWithOnlyWhatItReads) {
  options.pipeline = "my pipe";
  sender().accept(make_batch(1));
  ASSERT_TRUE(run());
  const auto& r = client.seen.back();
  EXPECT_EQ(r.method, "POST");
  EXPECT_TRUE(r.url.starts_with("http://es:9200/logs-shop-default/_bulk?pipeline=my%20pipe&filter_path="))
      << r.url;
  EXPECT_EQ(r.headers.at("Content-Type"), "application/x-ndjson");
}

TEST_F(SenderTest, NothingIsSentBeforeItIsDurable) {
  world.barrier.failures = 2;
  sender().accept(make_batch(1));
  sender().step(std::chrono::milliseconds(1));
  sender().step(std::chrono::milliseconds(1));
  EXPECT_EQ(es.bulks, 0);
  ASSERT_TRUE(run());
  EXPECT_EQ(world.barrier.asked, (std::vector<std::uint64_t>{7, 7, 7}));
  expect_each_stored_once(1);
}

TEST_F(SenderTest, GzipBodiesUnpackToTheSameBytesAndGiveTheirMemoryBack) {
  options.gzip = true;
  auto batch = make_batch(50);
  const std::string body = batch->body;
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    EXPECT_EQ(r.headers.at("Content-Encoding"), "gzip");
    EXPECT_EQ(gunzip(r.body), body);
    EXPECT_GT(world.budget.used(), 0u);
    std::string items;
    for (int i = 0; i < 50; ++i) items += std::string(i ? "," : "") + R"({"create":{"status":201}})";
    return FakeElasticsearch::reply(200, R"({"errors":false,"items":[)" + items + "]}");
  };
  sender().accept(std::move(batch));
  ASSERT_TRUE(run());
  EXPECT_EQ(world.budget.used(), 0u);
  EXPECT_EQ(world.probe.shipped_docs, 50u);
}

TEST_F(SenderTest, OverloadedItemsAreRetriedAloneUntilTheyAreIn) {
  int turn = 0;
  es.refuse = [&](const std::string&) -> std::optional<FakeElasticsearch::Refusal> {
    if (++turn % 5 == 0)
      return FakeElasticsearch::Refusal{429, "es_rejected_execution_exception", "queue is full"};
    return std::nullopt;
  };
  sender().accept(make_batch(100));
  ASSERT_TRUE(run());
  expect_each_stored_once(100);
  EXPECT_EQ(world.probe.retries["rejected"], 20u + 4u) << "20 of 100, then 4 of 20, then none of 4";
  EXPECT_EQ(world.probe.dead, 0u);
  EXPECT_EQ(world.probe.duplicate_docs + world.probe.conflicts, 0u);
}

TEST_F(SenderTest, AWhole429IsHeldForRetryAfter) {
  MonoTime refused_at{};
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (es.bulks > 1) {
      EXPECT_GE(r.at - refused_at, std::chrono::seconds(7));
      return std::nullopt;
    }
    refused_at = r.at;
    return FakeElasticsearch::reply(429, "", {{"retry-after", "7"}});
  };
  sender().accept(make_batch(4));
  ASSERT_TRUE(run());
  expect_each_stored_once(4);
  EXPECT_TRUE(world.probe.saw("overloaded"));
  EXPECT_EQ(world.probe.states.back(), "");
}

class OneHostAsksForTimeTest : public SenderTest, public ::testing::WithParamInterface<long> {};

INSTANTIATE_TEST_SUITE_P(Statuses, OneHostAsksForTimeTest, ::testing::Values(429, 503));

TEST_P(OneHostAsksForTimeTest, ItGetsItAndTheOthersGoOn) {
  options.hosts = {"http://a:9200", "http://b:9200"};
  std::vector<MonoTime> refused;
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (!r.url.starts_with("http://b")) return std::nullopt;
    refused.push_back(r.at);
    return FakeElasticsearch::reply(GetParam(), "", {{"retry-after", "60"}});
  };
  for (std::size_t i = 0; i < 100; ++i) {
    sender().accept(make_batch(2, 2 * i));
    run_for(1);
  }
  ASSERT_TRUE(run());
  expect_each_stored_once(200);
  ASSERT_GE(refused.size(), 2u);
  for (std::size_t i = 1; i < refused.size(); ++i) {
    const Nanos apart = refused[i] - refused[i - 1];
    EXPECT_TRUE(apart < std::chrono::seconds(1) || apart >= std::chrono::seconds(60)) << i;
  }
  EXPECT_FALSE(world.probe.saw("unavailable"));
  EXPECT_FALSE(world.probe.saw("overloaded"));
}

// Locked out, misconfigured, or a page of a gateway.
TEST_F(SenderTest, AHostThatTakesNothingKeepsTheOthersFromNothing) {
  options.hosts = {"http://a:9200", "http://b:9200"};
  for (const long status : {200, 302, 401, 403, 404}) {
    SCOPED_TRACE(status);
    int asked = 0;
    es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
      if (!r.url.starts_with("http://b")) return std::nullopt;
      ++asked;
      return FakeElasticsearch::reply(status, "<html>we are at work</html>");
    };
    const std::size_t before = es.stored.size();
    for (std::size_t i = 0; i < 100; ++i) {
      sender().accept(make_batch(2, before + 2 * i));
      run_for(1);
    }
    ASSERT_TRUE(run());
    expect_each_stored_once(before + 200);
    EXPECT_LT(asked, 20);
    EXPECT_TRUE(world.probe.states.empty() || world.probe.states.back().empty());
  }
}

// An engine without a disk of its own, or one restored: its first document would make a plain index.
TEST_F(SenderTest, ADestinationThatComesBackEmptyGetsItsTemplateBeforeDocuments) {
  sender().accept(make_batch(2, 0));
  ASSERT_TRUE(run());
  es.away = [](const auto&) -> HttpResult {
    return std::unexpected(TransportError{TransportError::Kind::connect, false, "refused"});
  };
  sender().accept(make_batch(2, 2));
  run_for(60);
  std::vector<std::string> asked;
  es.away = [&](const ScriptedHttpClient::Seen& r) -> HttpResult {
    asked.push_back(r.method + " " + r.url.substr(15, 10));
    if (r.method == "PUT") return FakeElasticsearch::reply(200, R"({"acknowledged":true})");
    if (r.method == "GET") return FakeElasticsearch::reply(404, "{}");
    es.away = nullptr;
    return es(r);
  };
  ASSERT_TRUE(run());
  expect_each_stored_once(4);
  EXPECT_EQ(asked, (std::vector<std::string>{"GET _index_tem", "PUT _index_tem", "GET logs-shop-",
                                             "POST logs-shop-"}));
}

TEST_F(SenderTest, TheOnlyHostThatAsksForTimeIsDown) {
  int asked = 0;
  es.instead = [&](const auto&) -> std::optional<HttpResult> {
    if (++asked > 1) return std::nullopt;
    return FakeElasticsearch::reply(503, "", {{"retry-after", "60"}});
  };
  sender().accept(make_batch(2));
  run_for(50);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(world.probe.states.back(), "unavailable");
  ASSERT_TRUE(run());
  EXPECT_EQ(world.probe.states.back(), "");
}

TEST_F(SenderTest, WhatWasOnItsWayDoesNotShortenTheTimeThatWasAskedFor) {
  int asked = 0;
  es.instead = [&](const auto&) -> std::optional<HttpResult> {
    if (++asked != 3) return std::nullopt;
    return FakeElasticsearch::reply(429, "", {{"retry-after", "60"}});
  };
  sender().accept(make_batch(2));
  ASSERT_TRUE(run());  // the limit on requests grows
  sender().accept(make_batch(2, 2));
  ASSERT_TRUE(run());
  sender().accept(make_batch(2, 4));  // refused
  sender().accept(make_batch(2, 6));  // taken
  run_for(2);
  EXPECT_EQ(es.stored.size(), 6u);
  sender().accept(make_batch(2, 8));
  run_for(50);
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(world.probe.states.back(), "overloaded");
  ASSERT_TRUE(run());
  expect_each_stored_once(10);
  EXPECT_EQ(world.probe.states.back(), "");
}

TEST_F(SenderTest, DuringAnOutageItAsksRarelyAndEverythingArrivesAfterwards) {
  const MonoTime begin = world.clock.now();
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.at - begin > std::chrono::minutes(10)) return std::nullopt;
    return std::unexpected(TransportError{TransportError::Kind::connect, false, "refused"});
  };
  for (std::size_t i = 0; i < 10; ++i) sender().accept(make_batch(10, 10 * i));
  run_for(600);
  EXPECT_LT(es.bulks, 120) << "ten minutes at a cap of 30 s with full jitter";
  EXPECT_TRUE(world.probe.saw("connect"));
  ASSERT_TRUE(run());
  expect_each_stored_once(100);
  EXPECT_EQ(world.probe.conflicts, 0u);
}

TEST_F(SenderTest, AnswersCutOffAfterTheDocumentsWereStoredDoubleNothing) {
  es.instead = [&, cut = 0](const ScriptedHttpClient::Seen& r) mutable -> std::optional<HttpResult> {
    if (cut == 3) return std::nullopt;
    ++cut;
    FakeElasticsearch stores;
    stores.stored.swap(es.stored);
    stores.ids.swap(es.ids);
    static_cast<void>(stores(r));
    stores.stored.swap(es.stored);
    stores.ids.swap(es.ids);
    if (cut == 2) return FakeElasticsearch::reply(200, R"({"took":3,"errors":false,"items":[{"crea)");
    return std::unexpected(TransportError{TransportError::Kind::reset, true, "cut"});
  };
  sender().accept(make_batch(20));
  ASSERT_TRUE(run());
  expect_each_stored_once(20);
  EXPECT_EQ(world.probe.duplicate_docs, 20u);
  EXPECT_EQ(world.probe.conflicts, 0u);
}

TEST_F(SenderTest, AConflictOutsideTheReplayWindowIsDeliveredButRaised) {
  auto same = make_batch(2);
  sender().accept(make_batch(2));
  ASSERT_TRUE(run());
  sender().accept(std::move(same));
  ASSERT_TRUE(run());
  EXPECT_EQ(world.probe.conflicts, 2u);
  EXPECT_EQ(world.ledger.settled.size(), 2u);
}

TEST_F(SenderTest, AConflictOfARequestThatWentOutTwiceIsItsOwnEcho) {
  int sendings = 0;
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (++sendings > 1) return std::nullopt;
    static_cast<void>(es(r));
    HttpResult again = es(r);
    again->sent_more_than_once = true;
    return again;
  };
  sender().accept(make_batch(4));
  ASSERT_TRUE(run());
  expect_each_stored_once(4);
  EXPECT_EQ(world.probe.conflicts, 0u);
  EXPECT_EQ(world.probe.duplicate_docs, 4u);
}

TEST_F(SenderTest, AConflictInTheReplayWindowIsExpected) {
  sender().accept(make_batch(2));
  sender().accept(make_batch(2, 0, true, true));
  ASSERT_TRUE(run());
  EXPECT_EQ(world.probe.conflicts, 0u);
  EXPECT_EQ(world.probe.duplicate_docs, 2u);
}

TEST_F(SenderTest, ARefusedPoisonRequestDoesNotKeepItsNeighboursFromGoing) {
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.body.find(number(3)) == std::string::npos) return std::nullopt;
    return std::unexpected(TransportError{TransportError::Kind::reset, true, "a proxy dislikes it"});
  };
  for (std::size_t i = 0; i < 6; ++i) sender().accept(make_batch(1, i));
  run_for(300);
  EXPECT_EQ(es.stored.size(), 5u);
  EXPECT_FALSE(sender().idle());
}

TEST_F(SenderTest, HostsAreUsedInTurnAndADeadOneIsLeftOut) {
  options.hosts = {"http://a:1", "http://b:1/prefix/"};
  std::map<std::string, int> by_host;
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    ++by_host[r.url.substr(0, 10)];
    if (r.url.starts_with("http://a:1"))
      return std::unexpected(TransportError{TransportError::Kind::connect, false, "refused"});
    EXPECT_TRUE(r.url.starts_with("http://b:1/prefix/logs-shop-default/_bulk")) << r.url;
    return std::nullopt;
  };
  for (std::size_t i = 0; i < 20; ++i) {
    sender().accept(make_batch(1, i));
    ASSERT_TRUE(run());
  }
  expect_each_stored_once(20);
  EXPECT_LT(by_host["http://a:1"], 5);
  EXPECT_FALSE(world.probe.saw("connect")) << "the output works while one host does";
}

TEST_F(SenderTest, NoMoreRequestsAreInFlightThanTheLimit) {
  options.max_concurrency = 3;
  for (std::size_t i = 0; i < 50; ++i) sender().accept(make_batch(1, i));
  ASSERT_TRUE(run());
  EXPECT_EQ(client.most_at_once, 3u);
}

TEST_F(SenderTest, DrainingDoesNotSitBackOffOut) {
  es.instead = [&](const auto&) -> std::optional<HttpResult> {
    return FakeElasticsearch::reply(503, "", {{"retry-after", "300"}});
  };
  sender().accept(make_batch(1));
  run_for(20);
  es.instead = [](const auto&) { return std::nullopt; };
  sender().start_draining();
  const MonoTime begin = world.clock.now();
  ASSERT_TRUE(run());
  EXPECT_LT(world.clock.now() - begin, std::chrono::seconds(2));
}

TEST_F(SenderTest, QuestionsBeforeTheFirstDocumentThatKeepItWaitingAreCounted) {
  es.away = [](const auto&) -> HttpResult {
    return std::unexpected(TransportError{TransportError::Kind::connect, false, "refused"});
  };
  sender().accept(make_batch(1));
  run_for(5);
  es.away = [](const auto&) { return FakeElasticsearch::error(503, "unavailable", "no master"); };
  run_for(60);
  es.away = nullptr;
  ASSERT_TRUE(run());
  EXPECT_GT(world.probe.requests[0], 0);
  EXPECT_GT(world.probe.requests[503], 0);
  // The template that is there, and the stream that is not, look like nothing.
  EXPECT_EQ(world.probe.requests[404], 0);
  EXPECT_EQ(world.probe.requests[200], 1);
}

TEST_F(SenderTest, WhatIsInFlightAtTheEndStaysUnsettled) {
  sender().accept(make_batch(2));
  sender().step(std::chrono::milliseconds(1));  // template
  sender().step(std::chrono::milliseconds(1));  // stream
  sender_.reset();
  EXPECT_TRUE(world.ledger.settled.empty());
}

}  // namespace
}  // namespace sidelight::test
