#include "agent/checkpoint/state.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/agent/checkpoint/stored.h"

namespace sidelight {
namespace {

using test::state_of;

CheckpointState decoded(const std::string& json) {
  CheckpointState s;
  EXPECT_TRUE(decode_state(json, s)) << json;
  return s;
}

TEST(State, ComesBackAsItWas) {
  CheckpointState s = state_of(7, 1234);
  s.real = "/var/log/app/shop.log.1";
  s.dev = 0xfd00;
  s.inode = std::numeric_limits<std::uint64_t>::max();
  s.birth_ns = std::numeric_limits<std::int64_t>::min();
  s.size = 99;
  s.head_len = std::numeric_limits<std::uint32_t>::max();
  s.head_hash = 0xfedcba9876543210u;
  s.lane = {5, std::numeric_limits<std::uint64_t>::max()};
  s.frame_state = 3;
  s.tail_len = 256;
  s.tail_hash = 1u << 31;
  s.cuts = {10, 20, std::numeric_limits<std::uint64_t>::max()};
  s.time_marks = {{1, -5}, {30, std::numeric_limits<std::int64_t>::max()}};
  s.carry = "half a line \xff\xfe%41\n";
  s.carry_from = s.key + "-77";
  s.finished = true;
  s.behind_since_ns = 1'795'385'402'000'000'000;
  EXPECT_EQ(decoded(encode_state(s)), s);
}

TEST(State, DefaultsComeBackToo) {
  const CheckpointState s = state_of(1, 0);
  EXPECT_EQ(decoded(encode_state(s)), s);
}

TEST(State, EveryByteOfAPathSurvives) {
  CheckpointState s = state_of(1, 0);
  for (int b = 1; b < 256; ++b) s.path.push_back(static_cast<char>(b));
  s.real = s.path + std::string(1, '\0');
  s.carry = std::string("\0\xff", 2);
  s.carry_from = "\xc3";
  const std::string json = encode_state(s);
  EXPECT_EQ(decoded(json), s);
  EXPECT_EQ(json.find_first_not_of("\t\r\n"), 0u) << "one line";
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

class NoState : public testing::TestWithParam<std::pair<const char*, const char*>> {};

// Replaces one key of a good state by the text given.
TEST_P(NoState, IsRefusedAndLeavesTheTargetAlone) {
  const auto& [name, patch] = GetParam();
  auto json = nlohmann::json::parse(encode_state(state_of(1, 5)));
  json.merge_patch(nlohmann::json::parse(patch));
  CheckpointState s = state_of(2, 9);
  EXPECT_FALSE(decode_state(json.dump(), s));
  EXPECT_EQ(s, state_of(2, 9));
}

INSTANTIATE_TEST_SUITE_P(
    State, NoState,
    testing::Values(
        std::pair{"NoKey", R"({"key":null})"}, std::pair{"ShortKey", R"({"key":"abc"})"},
        std::pair{"KeyOfOtherLetters", R"({"key":"\"bcdefghijklmnopqrstu\\"})"},
        std::pair{"NoPath", R"({"path":null})"}, std::pair{"EmptyPath", R"({"path":""})"},
        std::pair{"PathIsANumber", R"({"path":1})"}, std::pair{"BrokenArmour", R"({"path":"/a%4"})"},
        std::pair{"ArmourOfNoHex", R"({"path":"/a%zz"})"}, std::pair{"NegativeOffset", R"({"lane0":-1})"},
        std::pair{"FractionalOffset", R"({"lane1":1.5})"},
        std::pair{"LengthBeyond32Bits", R"({"head_len":4294967296})"},
        std::pair{"BirthBeyondInt64", R"({"birth":18446744073709551615})"},
        std::pair{"OffsetBeyond64Bits", R"({"size":18446744073709551616})"},
        std::pair{"CutsAreNoList", R"({"cuts":5})"}, std::pair{"NegativeCut", R"({"cuts":[5,-6]})"},
        std::pair{"TimesAreNoPairs", R"({"times":[[1,2,3]]})"},
        std::pair{"TimesAreNoNumbers", R"({"times":[["1",2]]})"},
        std::pair{"FinishedIsANumber", R"({"finished":1})"}),
    [](const auto& test) { return std::string(test.param.first); });

TEST(State, OtherTextIsNoState) {
  CheckpointState s;
  for (const std::string text : {"", "{", "[]", "null", "\"x\"", "{}", "\xff"}) {
    EXPECT_FALSE(decode_state(text, s)) << text;
  }
  EXPECT_FALSE(decode_state(encode_state(state_of(1, 5)).substr(1), s));
}

TEST(State, UnknownKeysOfALaterVersionAreIgnored) {
  auto json = nlohmann::json::parse(encode_state(state_of(1, 5)));
  json["later"] = {1, 2, 3};
  EXPECT_EQ(decoded(json.dump()), state_of(1, 5));
}

}  // namespace
}  // namespace sidelight
