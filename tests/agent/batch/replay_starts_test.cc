#include "agent/batch/replay_starts.h"

#include <gtest/gtest.h>

#include "agent/batch/batch.h"

namespace sidelight {
namespace {

constexpr std::string_view kKey = "q1mXv3S7T0-J8c2y-w9bZ-";  // base64url has '-' anywhere

std::string id_of(std::string_view key, std::uint64_t begin, std::uint64_t end) {
  char id[64];
  return std::string(id, write_doc_id(id, key, begin, end));
}

TEST(ReplayStarts, OnlyDocumentsFromTheStartOnComeAgain) {
  const ReplayStarts starts({{std::string(kKey), 0xa0}});
  EXPECT_TRUE(starts.may_come_again(id_of(kKey, 0xa0, 0xb0)));
  EXPECT_TRUE(starts.may_come_again(id_of(kKey, 0xffffffffffull, 0x10000000000ull)));
  EXPECT_FALSE(starts.may_come_again(id_of(kKey, 0x9f, 0xb0)));
  EXPECT_FALSE(starts.may_come_again(id_of("q1mXv3S7T0-J8c2y-w9bZA", 0xa0, 0xb0)));
  EXPECT_FALSE(ReplayStarts().may_come_again(id_of(kKey, 0xa0, 0xb0)));
}

TEST(ReplayStarts, WhatIsNoIdDoesNotComeAgain) {
  const ReplayStarts starts({{"key", 0}, {"", 0}});
  for (const char* id : {"", "-", "--", "key", "key-", "key-1", "key--1", "key-x-1", "key-1x-2", "key- 1-2"})
    EXPECT_FALSE(starts.may_come_again(id)) << id;
}

}  // namespace
}  // namespace sidelight
