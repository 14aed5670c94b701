#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/decode/framing.h"

namespace sidelight::testing {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

TEST(PlainFramer, HandsOutEachTerminatedLineAndWaitsForTheRest) {
  const auto framer = framer_for({});
  const Result r = frame_all(*framer, "one\r\n\ntwo\n\r\nthr", false);
  EXPECT_THAT(r.events, ElementsAre(Framed{0, 5, "one", "", 0, ""}, Framed{6, 10, "two", "", 0, ""}));
  EXPECT_EQ(r.position.low(), 12u);
  EXPECT_EQ(r.stats.lines, 2u);
}

TEST(PlainFramer, MarksAForcedCutInMidLineOnBothSides) {
  const auto framer = framer_for({});
  const std::string file = "first\nsecond\n";
  const Result cut = frame_once(*framer, file, {}, 9, true);
  EXPECT_THAT(cut.events, ElementsAre(Framed{0, 6, "first", "", 0, ""}, Framed{6, 9, "sec", "", 0, "u"}));
  const Result rest = frame_once(*framer, file, cut.position, file.size(), false);
  EXPECT_THAT(rest.events, ElementsAre(Framed{9, 13, "ond", "", 0, ">"}));
}

TEST(PlainFramer, CutsALineAtTheSizeLimitWithoutSplittingACharacter) {
  const auto framer = framer_for({.max_event_bytes = 16});
  const Result r = frame_all(*framer, "123456789012345\xD0\xBF tail\nnext\n");
  EXPECT_THAT(r.events,
              ElementsAre(Framed{0, 23, "123456789012345", "", 0, "t"}, Framed{23, 28, "next", "", 0, ""}));
  EXPECT_EQ(r.stats.truncated_events, 1u);
  EXPECT_EQ(r.stats.truncated_bytes, 7u);
}

TEST(PlainFramer, SkipsAndCountsTheRestOfAnEndlessLineAcrossWindows) {
  const auto framer = framer_for({.max_event_bytes = 16});
  const std::string file = std::string(3 * framer->window_bytes(), 'x') + "\nnext\n";
  FramePosition at;
  std::vector<Framed> events;
  std::uint64_t skipped = 0;
  for (std::uint64_t end = 0; at.low() < file.size();) {
    end = std::min<std::uint64_t>(file.size(), at.low() + framer->window_bytes());
    const Result r = frame_once(*framer, file, at, end, false);
    ASSERT_GT(r.position.low(), at.low());
    events.insert(events.end(), r.events.begin(), r.events.end());
    skipped += r.stats.truncated_bytes;
    at = r.position;
  }
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].text, std::string(16, 'x'));
  EXPECT_EQ(events[0].flags, "t");
  EXPECT_EQ(events[1].text, "next");
  // The text beyond the limit in the part that was seen, and all behind it up to past the newline.
  EXPECT_EQ(skipped, 3 * framer->window_bytes() - 16 + 1);
}

TEST(PlainFramer, PassesOverTheHoleThatATruncationLeaves) {
  const auto framer = framer_for({});
  const std::string file = std::string(100, '\0') + "after\nin\0side\n"s;
  EXPECT_THAT(frame_all(*framer, file).events,
              ElementsAre(Framed{100, 106, "after", "", 0, ""}, Framed{106, 114, "in\0side"s, "", 0, ""}));
}

TEST(PlainFramer, LeavesPreallocatedNulsAtTheEndForTheTextThatWillReplaceThem) {
  const auto framer = framer_for({});
  EXPECT_EQ(frame_all(*framer, "line\n"s + std::string(50, '\0'), false).position.low(), 5u);
}

struct Encoded {
  Encoding encoding;
  std::string bytes;
  std::vector<std::string> texts;
};
class Encodings : public ::testing::TestWithParam<Encoded> {};

TEST_P(Encodings, BecomeUtf8) {
  const auto framer = framer_for({.encoding = GetParam().encoding});
  EXPECT_EQ(texts(frame_all(*framer, GetParam().bytes)), GetParam().texts);
}

INSTANTIATE_TEST_SUITE_P(
    All, Encodings,
    ::testing::Values(
        Encoded{Encoding::utf8, "\xEF\xBB\xBFmarked\n\xEF\xBB\xBFkept\n", {"marked", "\xEF\xBB\xBFkept"}},
        Encoded{Encoding::windows1251, "ascii\n\xCF\xF0\xE8\xE2\xE5\xF2, \xB9 1\n", {"ascii", "Привет, № 1"}},
        Encoded{Encoding::latin1, "caf\xE9\n", {"café"}},
        Encoded{Encoding::utf16le, "\xFF\xFE\x1F\x04\r\0\n\0a\0\n\0"s, {"П", "a"}},
        Encoded{Encoding::utf16be, "\0a\xD8\x3D\xDE\x80\0\n"s, {"a🚀"}},
        Encoded{Encoding::utf16le, "\x3D\xD8x\0\n\0"s, {"\xEF\xBF\xBDx"}},    // a lone surrogate
        Encoded{Encoding::utf16le, "\x0A\x0Ax\0\n\0"s, {"ਊx"}},               // U+0A0A is no newline
        Encoded{Encoding::utf16le, "\xFE\xFF\0a\0\n\0b\0\n"s, {"a", "b"}}));  // the mark overrides the order

TEST(PlainFramer, RemembersTheByteOrderMarkBehindThePosition) {
  const auto framer = framer_for({.encoding = Encoding::utf16le});
  const std::string file = "\xFE\xFF\0a\0\n\0b\0\n"s;
  const Result first = frame_once(*framer, file, {}, 7, false);
  EXPECT_TRUE(first.position.utf16_swapped);
  EXPECT_THAT(texts(frame_once(*framer, file, first.position, file.size(), false)), ElementsAre("b"));
}

TEST(PlainFramer, PutsACarriedLineBeforeTheNextGeneration) {
  const auto framer = framer_for({});
  const std::string file = "ld\nnext\n";
  const Result waiting = frame_once(*framer, file, {}, 2, false, {}, "hello wor");
  EXPECT_TRUE(waiting.events.empty());
  EXPECT_EQ(waiting.position, FramePosition{});
  const Result r = frame_once(*framer, file, {}, file.size(), false, {}, "hello wor");
  EXPECT_THAT(r.events, ElementsAre(Framed{0, 3, "hello world", "", 0, ""}, Framed{3, 8, "next", "", 0, ""}));
  EXPECT_FALSE(r.position.in_carry());
}

TEST(MakeFramer, RefusesWhatCannotBe) {
  EXPECT_FALSE(make_framer({.max_event_bytes = 1}).has_value());
  EXPECT_FALSE(make_framer({.encoding = Encoding::utf16le, .container = ContainerFormat::cri}).has_value());
  const auto bad = make_framer({.multiline = {.preset = MultilinePreset::custom, .start_pattern = "("}});
  ASSERT_FALSE(bad.has_value());
  EXPECT_THAT(bad.error().message, ::testing::HasSubstr("start pattern is not valid"));
}

}  // namespace
}  // namespace sidelight::testing
