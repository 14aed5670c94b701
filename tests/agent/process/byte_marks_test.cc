#include "agent/process/byte_marks.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "tests/agent/process/pii_samples.h"

namespace sidelight::test {
namespace {

std::uint64_t bit(std::size_t i) {
  return std::uint64_t{1} << i;
}

std::string block(std::string text) {
  text.resize(kMarkedReach, '_');
  return text;
}

bool same(const ByteMarks& a, const ByteMarks& b) {
  return a.digits == b.digits && a.letters == b.letters && a.numbers == b.numbers && a.anchors == b.anchors;
}

TEST(ByteMarks, SortBytes) {
  for (const auto mark : {mark_bytes, mark_bytes_portable}) {
    const ByteMarks m = mark(block("a1 @%40Z%41 bEAr eyJ Be eYJ").c_str());
    EXPECT_EQ(m.anchors, bit(3) | bit(4) | bit(12) | bit(17));
    EXPECT_EQ(m.digits, bit(1) | bit(5) | bit(6) | bit(9) | bit(10));
    EXPECT_EQ(m.letters & 0xFF, bit(0) | bit(7));
    EXPECT_EQ(m.numbers & 0xFF, bit(1) | bit(2) | bit(5) | bit(6));
  }
}

TEST(ByteMarks, SeeWhatGoesOnBehindTheBlock) {
  std::string text(kMarkedBytes - 1, '_');
  for (const auto mark : {mark_bytes, mark_bytes_portable}) {
    EXPECT_EQ(mark((text + "bea").c_str()).anchors, bit(63));
    EXPECT_EQ(mark((text + "be_").c_str()).anchors, 0U);
  }
}

TEST(ByteMarks, AreTheSameWithAndWithoutVectorInstructions) {
  Random random(11);
  static constexpr std::string_view kTelling = "@%40bBeEaAyYJ ()-./:09azAZ[`{\x7F\x80\xBF\xC0\xC2\xE2\xFF";
  for (int round = 0; round < 20000; ++round) {
    std::array<char, kMarkedReach> bytes{};
    for (char& c : bytes)
      c = round % 2 == 0 ? static_cast<char>(pick(random, 256)) : kTelling[pick(random, kTelling.size())];
    ASSERT_TRUE(same(mark_bytes(bytes.data()), mark_bytes_portable(bytes.data()))) << round;
    for (std::size_t i = 0; i < kMarkedBytes; ++i)
      ASSERT_EQ(may_be_in_number(bytes.at(i)), (mark_bytes(bytes.data()).numbers & bit(i)) != 0);
  }
}

}  // namespace
}  // namespace sidelight::test
