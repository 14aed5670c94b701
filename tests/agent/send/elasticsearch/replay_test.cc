#include "agent/send/elasticsearch/replay.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "tests/agent/checkpoint/stored.h"
#include "tests/agent/send/elasticsearch/sender_fixture.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight::test {
namespace {

class ReplayTest : public SenderTest {
 protected:
  // Dead-letters all documents of a batch of n.
  void fill(std::size_t n) {
    es.refuse = [](const auto&) { return FakeElasticsearch::Refusal{400, "mapper_parsing_exception", "no"}; };
    sender().accept(make_batch(n));
    ASSERT_TRUE(run());
    ASSERT_EQ(dead_letters().size(), n);
    es.refuse = [](const auto&) { return std::nullopt; };
  }
  Expected<ReplaySummary> replay() {
    return replay_dead_letters(fs, client, world.clock, log, options,
                               [this](const ReplayProgress& p) { progressed = p.done; });
  }
  // What was asked of the destination, without what follows a question mark.
  void remember_requests() {
    client.answer_with([this](const ScriptedHttpClient::Seen& r) {
      requests.push_back(r.method + " " + r.url.substr(0, r.url.find('?')));
      return es(r);
    });
  }
  std::uint64_t progressed = 0;
  std::vector<std::string> requests;
  RecordingLogger log;
};

TEST_F(ReplayTest, DeliveredLettersGoAndTheirDocumentsKeepTheirIds) {
  fill(1200);
  sender_.reset();
  const auto summary = replay();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->delivered, 1200u);
  EXPECT_EQ(progressed, 1200u);
  expect_each_stored_once(1200);
  EXPECT_TRUE(es.ids.contains(R"({"create":{"_id":")" + doc_id(0, 10) + "\"}}"));
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(replay()->delivered, 0u);
}

TEST_F(ReplayTest, WhatIsRefusedAgainStays) {
  fill(10);
  sender_.reset();
  es.refuse = [](const std::string& d) -> std::optional<FakeElasticsearch::Refusal> {
    if (d.find(number(4)) == std::string::npos) return std::nullopt;
    return FakeElasticsearch::Refusal{400, "mapper_parsing_exception", "still no"};
  };
  const auto summary = replay();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->delivered, 9u);
  EXPECT_EQ(summary->refused, 1u);
  EXPECT_NE(summary->last_refusal.find("still no"), std::string::npos);
  ASSERT_EQ(dead_letters().size(), 1u);
  EXPECT_NE(dead_letters()[0].find(number(4)), std::string::npos);
}

TEST_F(ReplayTest, TheFirstUnreadableLineIsNamed) {
  fill(2);
  sender_.reset();
  std::string file;
  for (const auto& entry : std::filesystem::directory_iterator(options.dead_letters.dir))
    if (entry.path().extension() == ".ndjson") file = entry.path();
  std::ofstream(file, std::ios::app) << "not ours\nnor this\n";
  const auto summary = replay();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->delivered, 2u);
  EXPECT_EQ(summary->unreadable, 2u);
  EXPECT_EQ(summary->first_unreadable, file + ":3");
}

TEST_F(ReplayTest, AnUnreachableDestinationLosesNothing) {
  fill(5);
  sender_.reset();
  es.instead = [](const auto&) -> std::optional<HttpResult> {
    return std::unexpected(TransportError{TransportError::Kind::connect, false, "refused"});
  };
  EXPECT_FALSE(replay());
  EXPECT_EQ(dead_letters().size(), 5u);
}

TEST_F(ReplayTest, WaitsAsLongAsTheDestinationAsks) {
  fill(5);
  sender_.reset();
  int refusals = 2;
  es.instead = [&](const auto&) -> std::optional<HttpResult> {
    if (refusals-- <= 0) return std::nullopt;
    return FakeElasticsearch::reply(429, "{}", {{"retry-after", "40"}});
  };
  const MonoTime begin = world.clock.now();
  const auto summary = replay();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->delivered, 5u);
  EXPECT_GE(world.clock.now() - begin, std::chrono::seconds(80));
  ASSERT_FALSE(log.lines.empty());
  EXPECT_NE(log.lines.back().second.find(" s before the next try: HTTP 429"), std::string::npos)
      << log.lines.back().second;
}

// The engine came back with an empty disk: without a template, the documents would make an index of any kind.
TEST_F(ReplayTest, MakesTheTemplateThatIsMissingBeforeAnyDocument) {
  fill(5);
  sender_.reset();
  options.create_template = true;
  remember_requests();
  bool made = false;
  es.away = [&, honest = FakeElasticsearch()](const ScriptedHttpClient::Seen& r) mutable -> HttpResult {
    if (r.url.find("/_index_template/") == std::string::npos) return honest(r);
    if (r.method == "PUT") made = true;
    return FakeElasticsearch::reply(r.method == "PUT" ? 200 : 404, R"({"acknowledged":true})");
  };
  const auto summary = replay();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->delivered, 5u);
  EXPECT_TRUE(made);
  ASSERT_GE(requests.size(), 3u);
  EXPECT_EQ(requests[0].substr(0, 4), "GET ");
  EXPECT_EQ(requests[1].substr(0, 4), "PUT ");
  EXPECT_NE(requests.back().find("POST http://es:9200/logs-shop-default/_bulk"), std::string::npos)
      << requests.back();
}

TEST_F(ReplayTest, SendsNothingToAPlainIndexInPlaceOfTheDataStream) {
  fill(5);
  sender_.reset();
  remember_requests();
  es.away = [](const ScriptedHttpClient::Seen& r) -> HttpResult {
    if (r.url.find("/_index_template/") != std::string::npos)
      return FakeElasticsearch::reply(200, R"({"index_templates":[]})");
    return FakeElasticsearch::reply(200, R"({"logs-shop-default":{"settings":{"index":{"uuid":"u"}}}})");
  };
  const auto summary = replay();
  ASSERT_FALSE(summary);
  EXPECT_NE(summary.error().message.find("is not a data stream"), std::string::npos)
      << summary.error().message;
  for (const std::string& r : requests) EXPECT_EQ(r.find("_bulk"), std::string::npos) << r;
  EXPECT_EQ(dead_letters().size(), 5u);
}

TEST_F(ReplayTest, LeavesAHostThatRefusesForOneThatDoesNot) {
  fill(5);
  sender_.reset();
  options.hosts = {"http://one:9200", "http://es:9200"};
  client.answer_with([this](const ScriptedHttpClient::Seen& r) -> HttpResult {
    if (r.url.find("one:9200") != std::string::npos)
      return FakeElasticsearch::error(503, "unavailable", "shutting down");
    return es(r);
  });
  const auto summary = replay();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->delivered, 5u);
}

TEST_F(ReplayTest, WorksBesideARunningProgram) {
  fill(3);
  // Requests of the replay are answered while the program goes on looking after its folder.
  client.answer_with([&](const auto& r) { return es(r); });
  ASSERT_TRUE(fs.open(options.dead_letters.dir + "/close.request", OpenMode::create_new));
  world.clock.advance(std::chrono::seconds(2));
  sender().step(std::chrono::milliseconds(1));
  const auto summary = replay();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->delivered, 3u);
  EXPECT_FALSE(summary->open_file_left_out);
}

TEST_F(ReplayTest, AFileThatTheProgramDoesNotLetGoOfIsLeftAlone) {
  fill(3);
  const auto summary = replay();
  ASSERT_TRUE(summary);
  EXPECT_TRUE(summary->open_file_left_out);
  EXPECT_EQ(dead_letters().size(), 3u);
}

TEST_F(ReplayTest, NoFolderIsNothingToDo) {
  const auto summary = replay();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->files, 0u);
}

TEST_F(ReplayTest, AFolderThatIsNotThereHoldsNothing) {
  const auto summary = replay();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->files, 0u);
}

TEST_F(ReplayTest, AFolderThatMayNotBeReadIsAnError) {
  MemoryFileSystem files;
  files.make_dirs(options.dead_letters.dir).value();
  for (const char* op : {"stat", "lock", "list"}) {
    files.fail_next(op, EACCES);
    if (std::string_view(op) == "list") files.fail_next(op, EACCES);  // also asked for the open file
    const auto summary = replay_dead_letters(files, client, world.clock, log, options, [](const auto&) {});
    ASSERT_FALSE(summary) << op;
    EXPECT_NE(summary.error().message.find("the dead letters cannot be read"), std::string::npos) << op;
    EXPECT_NE(summary.error().message.find("we are "), std::string::npos) << op;
    files.clear_faults();
  }
}

TEST_F(ReplayTest, AsRootLeavesEverythingToTheOwnerOfTheFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  fill(4);
  sender_.reset();
  const std::string& folder = options.dead_letters.dir;
  constexpr uid_t kUser = 65532;
  // As if the program had run as that user.
  ASSERT_EQ(::chown(folder.c_str(), kUser, kUser), 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    ASSERT_EQ(::chown(entry.path().c_str(), kUser, kUser), 0);
  es.refuse = [](const std::string& d) -> std::optional<FakeElasticsearch::Refusal> {
    if (d.find(number(2)) == std::string::npos) return std::nullopt;
    return FakeElasticsearch::Refusal{400, "mapper_parsing_exception", "still no"};
  };
  ASSERT_TRUE(replay());
  ASSERT_EQ(dead_letters().size(), 1u);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    names.insert(name);
    EXPECT_EQ(fs.stat(entry.path())->uid, kUser) << name;
    EXPECT_EQ(fs.stat(entry.path())->gid, kUser) << name;
  }
  EXPECT_TRUE(names.contains("replay.lock"));
}

TEST_F(ReplayTest, AsRootWithoutTheRightToGiveFilesAwayIsRefusedAndLeavesNothing) {
  MemoryFileSystem files;
  const std::string& folder = options.dead_letters.dir;
  files.make_dirs(folder).value();
  files.chown(folder, 65532, 65532);
  files.fail_next("give_to", EPERM);
  const auto summary = replay_dead_letters(files, client, world.clock, log, options, [](const auto&) {});
  ASSERT_FALSE(summary);
  EXPECT_NE(summary.error().message.find("would stay root's"), std::string::npos) << summary.error().message;
  EXPECT_TRUE(files.list(folder)->empty());
}

}  // namespace
}  // namespace sidelight::test
