// Documents and requests that are refused: whose fault it is, and what becomes of them.
#include "tests/agent/send/elasticsearch/sender_fixture.h"

#include <nlohmann/json.hpp>

namespace sidelight::test {
namespace {

using Refusal = FakeElasticsearch::Refusal;

TEST_F(SenderTest, ABadDocumentIsDeadLetteredAndItsNeighboursAreDelivered) {
  es.refuse = [](const std::string& d) -> std::optional<Refusal> {
    if (d.find(number(2)) == std::string::npos) return std::nullopt;
    return Refusal{400, "mapper_parsing_exception", "failed to parse field [n]"};
  };
  sender().accept(make_batch(5));
  ASSERT_TRUE(run());
  expect_each_stored_once(4);
  const auto letters = dead_letters();
  ASSERT_EQ(letters.size(), 1u);
  const auto letter = nlohmann::json::parse(letters[0]);
  EXPECT_EQ(letter["reason"], "mapping");
  EXPECT_EQ(letter["error"]["type"], "mapper_parsing_exception");
  EXPECT_EQ(letter["document"]["n"], 2);
  EXPECT_EQ(letter["original"], "line 2");
  EXPECT_EQ(letter["origin"]["path"], "/var/log/app.log");
  EXPECT_EQ(letter["origin"]["begin"], 20);
  EXPECT_EQ(letter["id"], doc_id(20, 30));
  EXPECT_EQ(letter["destination"], "logs-shop-default");
  EXPECT_EQ(world.probe.dead_reasons["mapping"], 1u);
  EXPECT_EQ(world.ledger.settled.size(), 1u);
}

TEST_F(SenderTest, AMissingPipelineHoldsDocumentsAndIsNamed) {
  bool missing = true;
  es.refuse = [&](const std::string&) -> std::optional<Refusal> {
    if (!missing) return std::nullopt;
    return Refusal{400, "illegal_argument_exception", "pipeline with id [p] does not exist"};
  };
  sender().accept(make_batch(5));
  run_for(120);
  EXPECT_TRUE(world.ledger.settled.empty());
  EXPECT_EQ(world.probe.states.back(), "missing_pipeline");
  EXPECT_LT(es.bulks, 30);
  missing = false;
  ASSERT_TRUE(run());
  expect_each_stored_once(5);
  EXPECT_EQ(world.probe.states.back(), "");
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(SenderTest, ADestinationThatTakesSomeDocumentsHoldsOnlyTheOthers) {
  bool closed = true;
  es.refuse = [&](const std::string& d) -> std::optional<Refusal> {
    if (!closed || d.find(number(1)) == std::string::npos) return std::nullopt;
    return Refusal{400, "index_closed_exception", "closed"};
  };
  sender().accept(make_batch(3));
  sender().accept(make_batch(3, 3));
  run_for(60);
  EXPECT_EQ(es.stored.size(), 5u);
  EXPECT_EQ(world.probe.states.back(), "index_closed");
  closed = false;
  ASSERT_TRUE(run());
  expect_each_stored_once(6);
  EXPECT_EQ(world.probe.states.back(), "");
}

TEST_F(SenderTest, A413IsSplitAndLearntFrom) {
  es.instead = [](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.body.size() > 100'000) return FakeElasticsearch::reply(413, "");
    return std::nullopt;
  };
  sender().accept(make_batch(4000));
  ASSERT_TRUE(run());
  expect_each_stored_once(4000);
  const int first = es.bulks;
  sender().accept(make_batch(4000, 4000));
  ASSERT_TRUE(run());
  expect_each_stored_once(8000);
  EXPECT_LT(es.bulks - first, first) << "the second batch is cut before it is sent";
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(SenderTest, ASmallLimitOfTheDestinationIsMetToo) {
  es.instead = [](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.body.size() > 1000) return FakeElasticsearch::reply(413, "");
    return std::nullopt;
  };
  sender().accept(make_batch(64));
  ASSERT_TRUE(run());
  expect_each_stored_once(64);
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(SenderTest, ASingleDocumentThatIsTooLargeIsDeadLettered) {
  es.instead = [](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.body.find(number(5)) != std::string::npos) return FakeElasticsearch::reply(413, "");
    return std::nullopt;
  };
  sender().accept(make_batch(8));
  ASSERT_TRUE(run());
  expect_each_stored_once(7);
  EXPECT_EQ(world.probe.dead_reasons["too_large"], 1u);
  EXPECT_EQ(dead_letters().size(), 1u);
}

TEST_F(SenderTest, AWhole400IsBisectedToTheDocumentsThatCauseIt) {
  es.instead = [](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    for (const std::size_t bad : {7u, 300u, 301u}) {
      if (r.body.find(number(bad)) != std::string::npos)
        return FakeElasticsearch::error(400, "action_request_validation_exception", "id is bad");
    }
    return std::nullopt;
  };
  sender().accept(make_batch(1000));
  run_for(5);
  expect_each_stored_once(997);
  give_others(2000);
  ASSERT_TRUE(run());
  EXPECT_EQ(dead_letters().size(), 3u);
  EXPECT_LT(es.bulks, 180);
}

TEST_F(SenderTest, ThePoisonOfALogThatFellSilentIsFoundToo) {
  es.instead = [](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    for (const std::size_t bad : {7u, 99u}) {
      if (r.body.find(number(bad)) != std::string::npos) return FakeElasticsearch::error(400, "weird", "no");
    }
    return std::nullopt;
  };
  sender().accept(make_batch(100));
  run_for(15);
  expect_each_stored_once(98);
  EXPECT_FALSE(sender().idle()) << "too early to tell";
  run_for(300);
  EXPECT_EQ(dead_letters().size(), 2u);
  EXPECT_TRUE(sender().idle());
  EXPECT_FALSE(world.probe.saw("bad_request"));
}

TEST_F(SenderTest, AStopDoesNotWaitLongForThePoisonOfASilentLog) {
  es.instead = [](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.body.find(number(99)) != std::string::npos) return FakeElasticsearch::error(400, "weird", "no");
    return std::nullopt;
  };
  sender().accept(make_batch(100));
  run_for(2);
  sender().start_draining();
  run_for(5);
  EXPECT_EQ(dead_letters().size(), 1u);
  EXPECT_TRUE(sender().idle());
}

// What is refused then, with nothing else that could prove the destination to work, is not at fault.
TEST_F(SenderTest, ADestinationThatBreaksAmidABisectionHoldsWhatIsLeft) {
  bool broken = false;
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (broken || r.body.find(number(7)) != std::string::npos)
      return FakeElasticsearch::error(400, "some_exception", "no");
    if (es.stored.size() >= 400) broken = true;
    return std::nullopt;
  };
  sender().accept(make_batch(1000));
  sender().accept(make_batch(1000, 1000));
  run_for(900);
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(world.probe.states.back(), "bad_request");
}

TEST_F(SenderTest, ADestinationThatAnswers400ToEverythingHoldsEverything) {
  bool broken = true;
  es.instead = [&](const auto&) -> std::optional<HttpResult> {
    if (broken) return FakeElasticsearch::error(400, "some_exception", "no");
    return std::nullopt;
  };
  sender().accept(make_batch(200));
  sender().accept(make_batch(1, 200));
  run_for(300);
  EXPECT_TRUE(world.ledger.settled.empty());
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(world.probe.states.back(), "bad_request");
  broken = false;
  ASSERT_TRUE(run());
  expect_each_stored_once(201);
  EXPECT_TRUE(dead_letters().empty())
      << "refusals from before it was mended must not count against a document";
}

TEST_F(SenderTest, ALonePoisonDocumentGoesToTheDeadLettersOnceOthersWereTaken) {
  es.instead = [](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.body.find(number(0)) != std::string::npos) return FakeElasticsearch::error(400, "weird", "no");
    return std::nullopt;
  };
  sender().accept(make_batch(1));
  run_for(60);
  EXPECT_TRUE(dead_letters().empty());
  give_others(1);
  ASSERT_TRUE(run());
  EXPECT_EQ(dead_letters().size(), 1u);
}

// One host of two begins to refuse everything with 400 or 413.
class OneHostRefuses : public SenderTest, public ::testing::WithParamInterface<int> {
 protected:
  OneHostRefuses() {
    options.hosts = {"http://a:9200", "http://b:9200"};
    es.instead = [this](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
      if (!broken || !r.url.starts_with("http://b")) return std::nullopt;
      ++refusals;
      return FakeElasticsearch::error(GetParam(), "some_exception", "no");
    };
  }
  bool broken = false;
  int refusals = 0;
};
INSTANTIATE_TEST_SUITE_P(Statuses, OneHostRefuses, ::testing::Values(400, 413));

TEST_P(OneHostRefuses, TheOtherTakesItAllAndNothingIsDeadLettered) {
  sender().accept(make_batch(100));
  ASSERT_TRUE(run());
  broken = true;
  for (std::size_t i = 1; i < 60; ++i) {
    sender().accept(make_batch(100, 100 * i));
    if (i % 3 == 0) run_for(1);
  }
  ASSERT_TRUE(run());
  expect_each_stored_once(6000);
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_FALSE(world.probe.saw("bad_request"));
  EXPECT_LT(refusals, 30) << "it is asked now and then";
  broken = false;
  run_for(120);
  refusals = 0;
  give_others(6000);
  ASSERT_TRUE(run());
  EXPECT_TRUE(dead_letters().empty());
}

TEST_P(OneHostRefuses, ABadDocumentIsStillFoundByTheOther) {
  const auto one_host = es.instead;
  es.instead = [one_host](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.body.find(number(7)) != std::string::npos)
      return FakeElasticsearch::error(400, "some_exception", "no");
    return one_host(r);
  };
  broken = true;
  sender().accept(make_batch(100));
  give_others(1000);
  ASSERT_TRUE(run());
  EXPECT_EQ(dead_letters().size(), 1u);
  EXPECT_EQ(es.stored.count(document(7)), 0u);
}

TEST_P(OneHostRefuses, AsDoesAGatewayInFrontOfIt) {
  options.hosts = {"http://b:9200"};
  sender().accept(make_batch(100));
  ASSERT_TRUE(run());
  for (std::size_t i = 1; i < 12; ++i) sender().accept(make_batch(100, 100 * i));
  sender().step(std::chrono::milliseconds(0));  // some are on their way, and will be accepted
  broken = true;
  for (std::size_t i = 12; i < 24; ++i) sender().accept(make_batch(100, 100 * i));
  run_for(600);
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(world.probe.states.back(), "bad_request");
  EXPECT_LT(refusals, 1500);
  broken = false;
  ASSERT_TRUE(run());
  expect_each_stored_once(2400);
  EXPECT_TRUE(dead_letters().empty());
}

// Half of the backends behind it refuse everything: it takes what it refused before.
TEST_P(OneHostRefuses, ABalancerInFrontOfItIsNotBelieved) {
  options.hosts = {"http://b:9200"};
  int turn = 0;
  es.instead = [&](const ScriptedHttpClient::Seen&) -> std::optional<HttpResult> {
    if (++turn % 2 == 0) return std::nullopt;
    return FakeElasticsearch::error(GetParam(), "some_exception", "no");
  };
  for (std::size_t i = 0; i < 20; ++i) sender().accept(make_batch(50, 50 * i));
  ASSERT_TRUE(run(20000));
  expect_each_stored_once(1000);
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(SenderTest, HalvesOfWhatWasRefusedBeforeGoOnByThemselves) {
  bool broken = true;
  es.instead = [&](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (broken) return FakeElasticsearch::error(400, "some_exception", "no");
    if (r.body.size() > 100'000) return FakeElasticsearch::reply(413, "");
    return std::nullopt;
  };
  sender().accept(make_batch(4000));
  run_for(30);
  broken = false;
  sender().accept(make_batch(4000, 4000));  // teaches the limit
  run_for(3);
  broken = true;
  run_for(60);
  broken = false;
  ASSERT_TRUE(run());
  expect_each_stored_once(8000);
}

TEST_F(SenderTest, ARotatedKeyNeverDeadLettersAnything) {
  const std::string key_file = dir.path() + "/key";
  ASSERT_TRUE(fs.write_atomically(key_file, "old\n"));
  options.bearer_token_file = key_file;
  es.instead = [](const ScriptedHttpClient::Seen& r) -> std::optional<HttpResult> {
    if (r.headers.at("Authorization") == "Bearer new") return std::nullopt;
    return FakeElasticsearch::error(401, "security_exception", "expired");
  };
  sender().accept(make_batch(5));
  run_for(60);
  EXPECT_TRUE(world.ledger.settled.empty());
  EXPECT_TRUE(world.probe.saw("forbidden") || world.probe.saw("unauthorized"));
  ASSERT_TRUE(fs.write_atomically(key_file, "new\n"));
  ASSERT_TRUE(run());
  expect_each_stored_once(5);
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(SenderTest, AnswersThatAreNoBulkAnswersAreNotBelieved) {
  const std::vector<std::string> answers = {
      "<html>ok</html>",
      "",
      "{}",
      R"({"errors":false,"items":[]})",
      R"({"errors":false,"items":[{"create":{"status":201}}]})",
      R"({"errors":false,"items":[{"create":{"status":201}},{"create":{}}]})"};
  es.instead = [&](const auto&) -> std::optional<HttpResult> {
    const auto i = static_cast<std::size_t>(es.bulks - 1);
    if (i < answers.size()) return FakeElasticsearch::reply(200, answers[i]);
    return std::nullopt;
  };
  sender().accept(make_batch(2));
  ASSERT_TRUE(run());
  expect_each_stored_once(2);
  EXPECT_EQ(es.bulks, static_cast<int>(answers.size()) + 1);
  EXPECT_TRUE(world.probe.saw("bad_answer"));
}

TEST_F(SenderTest, APlainIndexStopsSending) {
  es.index_prefix = "";
  sender().accept(make_batch(1));
  ASSERT_TRUE(run());
  EXPECT_EQ(world.probe.states.back(), "not_a_data_stream");
  sender().accept(make_batch(1, 1));
  client.answer_with([&](const ScriptedHttpClient::Seen& r) -> HttpResult {
    if (r.method == "GET" && r.url.find("_index_template") == std::string::npos) {
      return FakeElasticsearch::reply(200, R"({"logs-shop-default":{"settings":{}}})");
    }
    return es(r);
  });
  run_for(300);
  EXPECT_EQ(es.bulks, 1);
  client.answer_with([&](const auto& r) { return es(r); });
  es.index_prefix = ".ds-";
  ASSERT_TRUE(run());
  EXPECT_EQ(world.probe.states.back(), "");
}

TEST_F(SenderTest, ItemsRefusedBeforeTheyAreRoutedDoNotMakeItAPlainIndex) {
  es.index_prefix = "";
  es.refuse = [](const std::string&) -> std::optional<Refusal> {
    return Refusal{403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)];"};
  };
  sender().accept(make_batch(2));
  run_for(20);
  EXPECT_EQ(world.probe.states.back(), "cluster_block");
  EXPECT_FALSE(world.probe.saw("not_a_data_stream"));
}

TEST_F(SenderTest, RefusedByTheDestinationItemByItemIsDownToo) {
  for (const int status : {429, 503}) {
    bool refusing = true;
    es.refuse = [&](const std::string&) -> std::optional<Refusal> {
      if (!refusing) return std::nullopt;
      return Refusal{status, "some_exception", "later"};
    };
    const std::string reason = status == 429 ? "rejected" : "unavailable";
    const auto retries = world.probe.retries[reason];
    sender().accept(make_batch(2, static_cast<std::size_t>(status)));
    run_for(30);
    EXPECT_EQ(world.probe.states.back(), status == 429 ? "overloaded" : "unavailable");
    EXPECT_GT(world.probe.retries[reason], retries);
    refusing = false;
    ASSERT_TRUE(run());
    EXPECT_EQ(world.probe.states.back(), "");
  }
}

// What the destination refuses while the dead letters are full is not remembered without bounds.
TEST_F(SenderTest, FullDeadLettersTakeLittleMemory) {
  const std::string reason(2000, 'r');
  es.refuse = [&](const std::string&) -> std::optional<Refusal> {
    return Refusal{400, "mapper_parsing_exception", reason};
  };
  fs.full = true;
  for (std::size_t i = 0; i < 25; ++i) sender().accept(make_batch(200, 200 * i));
  run_for(120);
  EXPECT_LT(world.budget.used(), 8u << 20);
  EXPECT_EQ(world.probe.states.back(), "dead_letters_full");
  EXPECT_TRUE(world.ledger.settled.empty());
  es.refuse = [&](const std::string& d) -> std::optional<Refusal> {
    if (d.find(number(20000)) != std::string::npos) return std::nullopt;
    return Refusal{400, "mapper_parsing_exception", reason};
  };
  sender().accept(make_batch(1, 20000));
  run_for(2);
  EXPECT_EQ(es.stored.size(), 1u) << "others are still delivered";
  fs.full = false;
  ASSERT_TRUE(run());
  EXPECT_EQ(dead_letters().size(), 5000u);
  EXPECT_EQ(world.probe.states.back(), "");
  EXPECT_EQ(world.budget.used(), 0u);
}

TEST_F(SenderTest, FullDeadLettersPauseTheInputAndResumeIt) {
  es.refuse = [](const std::string& d) -> std::optional<Refusal> {
    if (d.find(number(0)) == std::string::npos) return std::nullopt;
    return Refusal{400, "mapper_parsing_exception", "no"};
  };
  fs.full = true;
  sender().accept(make_batch(2));
  run_for(30);
  EXPECT_EQ(world.gate.paused, std::set<std::uint32_t>{3});
  EXPECT_EQ(world.gate.pauses, 1);
  EXPECT_EQ(world.probe.states.back(), "dead_letters_full");
  EXPECT_TRUE(world.ledger.settled.empty());
  sender().accept(make_batch(2, 5));
  run_for(10);
  EXPECT_EQ(es.stored.size(), 3u) << "others are still delivered";
  fs.full = false;
  ASSERT_TRUE(run());
  EXPECT_TRUE(world.gate.paused.empty());
  EXPECT_EQ(dead_letters().size(), 1u);
  EXPECT_EQ(world.probe.states.back(), "") << "without a further document";
}

}  // namespace
}  // namespace sidelight::test
