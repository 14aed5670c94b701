#include "agent/send/elasticsearch/dead_letters.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/agent/send/support.h"

namespace sidelight::test {
namespace {

class DeadLettersTest : public ::testing::Test {
 protected:
  DeadLettersTest() { options.dir = dir.path() + "/dead-letters"; }

  std::unique_ptr<DeadLetters> open() {
    return std::make_unique<DeadLetters>(options, fs, clock, log, probe,
                                         [this] { return ReplayStarts(starts); });
  }

  static DeadLetter letter(int n, bool may_exist = false) {
    DeadLetter l;
    l.id = "key-" + std::to_string(n) + "-ff";
    l.may_exist = may_exist;
    l.reason = "mapping";
    l.error_type = "mapper_parsing_exception";
    l.error_reason = "bad \"quote\"";
    l.destination = "logs";
    l.path = "/var/log/\xff.log";
    l.key = "key";
    l.begin = 5;
    l.end = 9;
    l.action = R"({"create":{"_id":"x"}})";
    l.document = R"({"a":1})";
    l.original = "raw \xfe bytes\n\"";
    return l;
  }
  Expected<void> write(DeadLetters& d, const std::vector<DeadLetter>& letters) {
    std::vector<const DeadLetter*> pointers;
    for (const auto& l : letters) pointers.push_back(&l);
    return d.write(pointers);
  }
  std::vector<std::string> files() {
    std::vector<std::string> out;
    std::error_code none;
    for (const auto& e : std::filesystem::directory_iterator(options.dir, none)) {
      if (parse_dead_letter_name(e.path().filename().string())) out.push_back(e.path().string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> out;
    for (const auto& f : files()) {
      for (auto& l : lines_of(fs.read_file(f, 1 << 26).value())) out.push_back(l);
    }
    return out;
  }

  TempDir dir;
  FullableFileSystem fs;
  SteppedClock clock;
  NullLogger log;
  RecordingProbe probe;
  std::unordered_map<std::string, std::uint64_t> starts{{"key", 0}};
  DeadLetterOptions options;
};

TEST_F(DeadLettersTest, WhatIsReadBackIsByteForByteWhatWasRefused) {
  const std::string document =
      R"({"price":2.50,"exact":12345678901234567890123,"e":1E+2,"zero":-0.0,"text":"\u0041\/ } ] \" \\",)"
      R"("document":{"id":"inner"},"list":[ 1 , {"a":[]} ],"empty":{ }})";
  DeadLetter l = letter(1);
  l.document = document;
  l.original = R"(,"document":{"no":1})";
  ASSERT_TRUE(write(*open(), {l}));
  const auto stored = read_dead_letter(lines().at(0));
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->document, document);
  EXPECT_EQ(stored->action, l.action);
  EXPECT_EQ(stored->id, l.id);
}

TEST_F(DeadLettersTest, AWholeLineThatIsNoLetterIsNeverReadAsOne) {
  EXPECT_TRUE(read_dead_letter(R"( { "document" : {"a":1.0} , "id" : "x" , "action" : {} } )"));
  using namespace std::string_view_literals;
  for (const std::string_view line :
       {""sv, "{"sv, "{}"sv, "[]"sv, "nul"sv, R"("id")"sv, R"({"id":"x","action":{},"document":{)"sv,
        R"({"id":"x","action":{},"document":{}}{})"sv, "{\"id\":\"x\",\"action\":{},\"document\":{}}\0{}"sv,
        R"({"id":1,"action":{},"document":{}})"sv, R"({"id":"x","action":[],"document":{}})"sv,
        R"({"id":"x","action":{},"document":"{}"})"sv, R"({"id":"x","action":{},"document":{"a":01}})"sv,
        R"({"id":"x","action":{},"document":{"a":"\x"}})"sv,
        "{\"id\":\"x\",\"action\":{},\"document\":{\"a\":\"\xff\"}}"sv,
        R"({"id":"x","action":{},"original":"\"document\":{}"})"sv}) {
    EXPECT_FALSE(read_dead_letter(line)) << line;
  }
}

TEST_F(DeadLettersTest, EachIsALineOfValidJsonWhateverItHolds) {
  ASSERT_TRUE(write(*open(), {letter(1), letter(2)}));
  const auto all = lines();
  ASSERT_EQ(all.size(), 2u);
  const auto json = nlohmann::json::parse(all[0]);
  EXPECT_EQ(json["document"]["a"], 1);
  EXPECT_EQ(json["error"]["reason"], "bad \"quote\"");
  EXPECT_EQ(json["origin"]["end"], 9);
  EXPECT_EQ(dead_letter_id(all[1]), "key-2-ff");
  const auto stored = read_dead_letter(all[0]);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->action, R"({"create":{"_id":"x"}})");
  EXPECT_EQ(stored->document, R"({"a":1})");
}

TEST_F(DeadLettersTest, NothingIsMadeOnDiskBeforeTheFirst) {
  open()->tend();
  EXPECT_FALSE(std::filesystem::exists(options.dir));
}

TEST_F(DeadLettersTest, AReplayedLetterIsNotWrittenTwice) {
  ASSERT_TRUE(write(*open(), {letter(1), letter(2)}));
  auto again = open();
  ASSERT_TRUE(write(*again, {letter(1, true), letter(3, true)}));
  ASSERT_TRUE(write(*again, {letter(3, true), letter(2, true)}));
  EXPECT_EQ(lines().size(), 3u);
}

TEST_F(DeadLettersTest, AReplayedLetterIsNotWrittenTwiceHoweverMuchWasWrittenSince) {
  auto first = open();
  ASSERT_TRUE(write(*first, {letter(1)}));
  DeadLetter large = letter(2);
  const std::string document = "{\"a\":\"" + std::string(1 << 20, 'x') + "\"}";
  large.document = document;
  for (int mib = 0; mib < 80; ++mib) ASSERT_TRUE(write(*first, {large}));
  first.reset();
  const auto before = lines().size();
  ASSERT_TRUE(write(*open(), {letter(1, true)}));
  EXPECT_EQ(lines().size(), before);
}

TEST_F(DeadLettersTest, AKilledProcessLeavesAFileThatTheNextOneClosesAndPassesOverWhereTorn) {
  ASSERT_TRUE(write(*open(), {letter(1)}));
  const std::string closed = files().at(0);
  ASSERT_TRUE(fs.rename(closed, closed + ".open"));
  {
    auto f = fs.open(closed + ".open", OpenMode::append);
    ASSERT_TRUE((*f)->write(R"({"id":"key-7-ff","@timest)"));
  }
  ASSERT_TRUE(write(*open(), {letter(1, true), letter(7, true)}));
  EXPECT_EQ(files().size(), 2u);
  EXPECT_EQ(files().at(0), closed);
  EXPECT_EQ(lines().size(), 3u) << "letter 1, the torn one, letter 7";
}

TEST_F(DeadLettersTest, AFullDiskTearsNothingAndTheNextTryWritesOnce) {
  auto d = open();
  ASSERT_TRUE(write(*d, {letter(1)}));
  fs.full = true;
  const auto refused = write(*d, {letter(2)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENOSPC);
  EXPECT_FALSE(write(*d, {letter(2)}));
  fs.full = false;
  ASSERT_TRUE(write(*d, {letter(2)}));
  d.reset();
  const auto all = lines();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(dead_letter_id(all[1]), "key-2-ff");
}

TEST_F(DeadLettersTest, AFullFolderRefusesOrDropsTheOldest) {
  options.max_bytes = 1200;
  auto d = open();
  int written = 0;
  while (write(*d, {letter(written)})) ++written;
  EXPECT_GT(written, 1);
  EXPECT_LT(written, 10);
  d.reset();

  options.on_full = OnFull::drop_oldest;
  d = open();
  ASSERT_TRUE(write(*d, {letter(100)}));
  EXPECT_EQ(probe.dropped, static_cast<std::uint64_t>(written));
  d.reset();
  EXPECT_EQ(lines().size(), 1u);
}

TEST_F(DeadLettersTest, OnlyOneWriterAtATime) {
  auto first = open();
  ASSERT_TRUE(write(*first, {letter(1)}));
  auto second = open();
  EXPECT_FALSE(write(*second, {letter(2)}));
  first.reset();
  EXPECT_TRUE(write(*second, {letter(2)}));
}

TEST_F(DeadLettersTest, TheOpenFileIsClosedOnRequest) {
  auto d = open();
  ASSERT_TRUE(write(*d, {letter(1)}));
  EXPECT_TRUE(files().at(0).ends_with(".open"));
  ASSERT_TRUE(fs.open(options.dir + "/close.request", OpenMode::create_new));
  clock.advance(std::chrono::seconds(2));
  d->tend();
  EXPECT_FALSE(files().at(0).ends_with(".open"));
  EXPECT_FALSE(fs.stat(options.dir + "/close.request"));
  ASSERT_TRUE(write(*d, {letter(2)}));
  EXPECT_EQ(files().size(), 2u);
}

}  // namespace
}  // namespace sidelight::test
