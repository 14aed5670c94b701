#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/decode/framer.h"

namespace sidelight {
namespace {

TEST(PlainFramer, HandsOutEachTerminatedLine) {
  const auto framer = make_framer({});
  ASSERT_TRUE(framer.has_value());
  const std::string bytes = "one\r\n\ntwo\nthr";
  Arena arena;
  std::vector<Event> out;
  FrameStats stats;
  const FramePosition to =
      (*framer)->frame({.bytes = bytes, .offset = 0, .from = {}, .cuts = {}, .carry = {}}, arena, out, stats);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].text, "one");
  EXPECT_EQ(out[0].end, 5u);
  EXPECT_EQ(out[1].text, "two");
  EXPECT_EQ(out[1].begin, 6u);
  EXPECT_EQ(to.low(), 10u);
}

}  // namespace
}  // namespace sidelight
