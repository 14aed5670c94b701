#include "agent/base/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sidelight {
namespace {

// The vectors of RFC 3720, appendix B.4 (which prints the bytes in the order of transmission).
TEST(Crc32c, VectorsOfTheStandard) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending.push_back(c);
  EXPECT_EQ(crc32c(ascending), 0x46dd794eu);
  std::reverse(ascending.begin(), ascending.end());
  EXPECT_EQ(crc32c(ascending), 0x113fdb5cu);
  EXPECT_EQ(crc32c(std::string_view("\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
                                    "\x14\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x14\x00\x00\x00\x18"
                                    "\x28\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00",
                                    48)),
            0xd9963a56u);
}

TEST(Crc32c, UsualCheckAndNothing) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

// Hashes are in checkpoints: they must never change from one version to the next.
TEST(Hash64, IsXxh3) {
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2u);
  EXPECT_NE(hash64("a"), hash64("b"));
  EXPECT_EQ(hash64(std::string(1024, 'x')), hash64(std::string(1024, 'x')));
}

}  // namespace
}  // namespace sidelight
