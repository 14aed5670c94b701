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
    if (r.body.size() > 1000) return FakeElasticsearch::reply(413, "");
    return std::nullopt;
  };
  sender().accept(make_batch(64));
  ASSERT_TRUE(run());
  expect_each_stored_once(64);
  const int first = es.bulks;
  sender().accept(make_batch(64, 64));
  ASSERT_TRUE(run());
  expect_each_stored_once(128);
  EXPECT_LT(es.bulks - first, first) << "the second batch is cut before it is sent";
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
  ASSERT_TRUE(run());
  expect_each_stored_once(997);
  EXPECT_EQ(dead_letters().size(), 3u);
  EXPECT_LT(es.bulks, 120);
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
  sender().accept(make_batch(1, 1));
  ASSERT_TRUE(run());
  EXPECT_EQ(dead_letters().size(), 1u);
  expect_each_stored_once(1);
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
}

}  // namespace
}  // namespace sidelight::test
