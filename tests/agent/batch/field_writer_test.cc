#include "agent/batch/field_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>

namespace sidelight {
namespace {

std::string written(std::uint64_t v) {
  std::array<char, 20> room;  // all there is: sanitizers see a byte too many
  const char* const end = put_number(room.data(), v);
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

TEST(PutNumber, WritesDecimalsWithoutLeadingZeros) {
  std::uint64_t power = 1;
  for (int digits = 1; digits <= 20; ++digits) {
    for (const std::uint64_t v : {power - 1, power, power + 1, power * 9 + power / 10})
      EXPECT_EQ(written(v), std::to_string(v));
    power *= 10;
  }
  EXPECT_EQ(written(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}

TEST(PutNumber, IsWhatTheLibraryWrites) {
  std::mt19937_64 rng(3);
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t v = rng() >> rng() % 64;
    ASSERT_EQ(written(v), std::to_string(v));
  }
}

}  // namespace
}  // namespace sidelight
