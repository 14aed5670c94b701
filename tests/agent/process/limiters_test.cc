// Rate limit and de-duplication: what passes, what the summaries say, and that a replay decides alike.
#include <gtest/gtest.h>

#include <set>

#include "tests/agent/process/pii_samples.h"
#include "tests/agent/process/process_testing.h"

namespace sidelight::test {
namespace {

Processors limit(std::int64_t events, std::vector<std::string> by = {}) {
  return {processor([&](ProcessorOptions& p) {
    p.rate_limit = RateLimitOptions{events, std::chrono::milliseconds(1000), std::move(by)};
  })};
}
Processors dedupe(std::chrono::milliseconds within = std::chrono::seconds(10)) {
  return {processor([&](ProcessorOptions& p) { p.dedupe = DedupeOptions{within, {"level", "message"}}; })};
}

std::string at(int ms, const std::string& message, const std::string& more = "") {
  const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
  return R"({"time":"2026-11-24T10:)" + two(ms / 60000) + ":" + two(ms / 1000 % 60) + "." + fraction +
         R"(Z","msg":")" + message + "\"" + more + "}";
}

std::vector<std::string> messages(const Shipped& s) {
  std::vector<std::string> out;
  for (const Json& d : s.documents) out.push_back(d["message"]);
  return out;
}
using Texts = std::vector<std::string>;

TEST(RateLimit, LetsSoManyThroughInEachStretchOfTime) {
  Line line(limit(2), Format::json);
  const Shipped s =
      line.ship({at(0, "a"), at(100, "b"), at(200, "c"), at(300, "d"), at(1000, "e"), at(1100, "f")});
  EXPECT_EQ(messages(s),
            (Texts{"a", "b", "e", "rate limit: 2 events suppressed, 2 let through in 1000 ms", "f"}));
  EXPECT_EQ(s.dropped.at(Verdict::rate_limited), 2);
}

TEST(RateLimit, TheSummaryBearsThePlaceAndTimeOfTheFirstDropped) {
  Line line(limit(1), Format::json);
  const std::string first = at(0, "a");
  const std::string second = at(100, "b");
  const Shipped s = line.ship({first, second, at(200, "c"), at(1500, "d")});
  ASSERT_EQ(s.documents.size(), 3u);
  const Json& summary = s.documents[2];
  EXPECT_EQ(summary["log"]["offset"], first.size() + 1);
  EXPECT_EQ(summary["@timestamp"], "2026-11-24T10:00:00.100Z");
  EXPECT_EQ(summary["labels"]["sidelight.suppressed"], "2");
  EXPECT_EQ(std::set<std::string>(s.ids.begin(), s.ids.end()).size(), 3u);
}

TEST(RateLimit, EachKeyHasItsOwn) {
  Line line(limit(1, {"k"}), Format::json);
  const Shipped s =
      line.ship({at(0, "a", R"(,"k":"x")"), at(1, "b", R"(,"k":"y")"), at(2, "c", R"(,"k":"x")")});
  EXPECT_EQ(messages(s), (Texts{"a", "b"}));
}

TEST(RateLimit, KeysAreBounded) {
  Line line(limit(1, {"k"}), Format::json);
  std::vector<std::string> lines;
  for (int i = 0; i < 5000; ++i) lines.push_back(at(0, "a", R"(,"k":"x)" + std::to_string(i) + "\""));
  EXPECT_EQ(line.ship(lines).documents.size(), 256u);
  EXPECT_LT(line.save().size(), 40'000u);
}

TEST(RateLimit, EarlierEventsCountToTheWindowThatIsOpen) {
  Line line(limit(2), Format::json);
  EXPECT_EQ(messages(line.ship({at(5000, "a"), at(1000, "late"), at(5100, "c")})), (Texts{"a", "late"}));
}

TEST(RateLimit, TheSummaryComesWithoutFurtherEvents) {
  Line line(limit(1), Format::json);
  line.ship({at(0, "a"), at(1, "b")});
  EXPECT_TRUE(line.waits());
  EXPECT_TRUE(line.idle(500'000'000, false).documents.empty());
  EXPECT_EQ(line.idle(1'000'000'000, false).documents.size(), 1u);
  EXPECT_FALSE(line.waits());
  EXPECT_TRUE(line.idle(0, true).documents.empty());
}

TEST(Dedupe, DropsRepetitionsAndTellsHowMany) {
  Line line(dedupe(), Format::json);
  const Shipped s = line.ship({at(0, "a"), at(1, "a"), at(2, "a"), at(3, "b"), at(4, "a")});
  EXPECT_EQ(messages(s), (Texts{"a", "b", "the line before was repeated 2 times", "a"}));
  EXPECT_EQ(s.dropped.at(Verdict::duplicate), 2);
}

TEST(Dedupe, LetsOneThroughAfterItsTime) {
  Line line(dedupe(std::chrono::seconds(1)), Format::json);
  const Shipped s = line.ship({at(0, "a"), at(500, "a"), at(1000, "a"), at(1500, "a")});
  EXPECT_EQ(messages(s), (Texts{"a", "a", "the line before was repeated 1 times"}));
  EXPECT_EQ(line.idle(0, true).documents.size(), 1u);
}

TEST(Dedupe, DifferentLevelsAreNoRepetition) {
  Line line(dedupe(), Format::json);
  EXPECT_EQ(line.ship({at(0, "a", R"(,"level":"info")"), at(1, "a", R"(,"level":"error")")}).documents.size(),
            2u);
}

TEST(Summaries, GoThroughTheProcessorsBehindTheirMaker) {
  Processors p = limit(1);
  p.push_back(processor([](ProcessorOptions& o) { o.add = {{{"team", "x"}}, true}; }));
  p.push_back(processor([](ProcessorOptions& o) { o.redact.emplace(); }));
  Line line(p, Format::json);
  line.ship({at(0, "a@b.example"), at(1, "b")});
  const Shipped s = line.idle(0, true);
  EXPECT_EQ(s.documents.at(0)["labels"]["team"], "x");
  EXPECT_EQ(s.raws.at(0), "");
}

// What is kept, its ids, and the summaries are the same whether the lines are read in one go or by a program
// that is killed anywhere and starts again from what it saved.
TEST(Replay, FromAnySavedPlaceDecidesAlike) {
  Random random(5);
  for (int round = 0; round < 60; ++round) {
    Processors p = dedupe(std::chrono::milliseconds(400));
    for (auto& more : limit(3, {"k"})) p.push_back(more);
    std::vector<std::string> lines;
    int time = 0;
    for (int i = 0; i < 120; ++i) {
      time += static_cast<int>(pick(random, 180));
      lines.push_back(at(time, std::string(1, static_cast<char>('a' + pick(random, 2))),
                         R"(,"k":)" + std::to_string(pick(random, 2))));
    }
    Line whole(p, Format::json);
    Shipped expected = whole.ship(lines);
    // In pieces; each saved place may be gone back to once.
    std::map<std::string, std::string> got;
    std::string saved;
    std::size_t done = 0;
    std::uint64_t position = 0;
    while (done < lines.size()) {
      const std::size_t n = std::min(lines.size() - done, 1 + pick(random, 20));
      const std::vector<std::string> piece(lines.begin() + static_cast<std::ptrdiff_t>(done),
                                           lines.begin() + static_cast<std::ptrdiff_t>(done + n));
      Line program(p, Format::json);
      program.restore(saved);
      program.position = position;
      const Shipped s = program.ship(piece);
      for (std::size_t i = 0; i < s.ids.size(); ++i) {
        const auto [it, is_new] = got.emplace(s.ids[i], s.bodies[i]);
        ASSERT_TRUE(is_new || it->second == s.bodies[i]) << "one id, two documents";
      }
      if (pick(random, 3) == 0) continue;  // killed before the position was saved
      saved = program.save();
      position = program.position;
      done += n;
    }
    std::map<std::string, std::string> want;
    for (std::size_t i = 0; i < expected.ids.size(); ++i) want.emplace(expected.ids[i], expected.bodies[i]);
    ASSERT_EQ(got, want) << "round " << round;
  }
}

TEST(Memory, OfAnotherConfigurationOrDamagedIsNotTakenUp) {
  Line line(limit(1), Format::json);
  line.ship({at(0, "a"), at(1, "b")});
  const std::string saved = line.save();
  Line other(limit(2), Format::json);
  other.restore(saved);
  EXPECT_FALSE(other.waits());
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = saved;
    damaged[pick(random, damaged.size())] = static_cast<char>(pick(random, 256));
    Line victim(limit(1), Format::json);
    victim.restore(damaged);
    victim.ship({at(0, "c")});
  }
}

}  // namespace
}  // namespace sidelight::test
