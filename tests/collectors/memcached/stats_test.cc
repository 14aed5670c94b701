#include "collectors/memcached/stats.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(MemcachedStats, AreRead) {
  const auto s = parse_memcached_stats(
      "STAT pid 7\r\nSTAT uptime 90\r\nSTAT version 1.6.18\r\nSTAT rusage_user 0.1\r\nSTAT curr_connections "
      "3\r\n"
      "STAT cmd_get 10\r\nSTAT cmd_set 4\r\nSTAT get_hits 9\r\nSTAT get_misses 1\r\nSTAT get_expired 2\r\n"
      "STAT reclaimed 3\r\nSTAT crawler_reclaimed 4\r\nSTAT evictions 5\r\nSTAT bytes 1000\r\n"
      "STAT limit_maxbytes 67108864\r\nSTAT curr_items 12\r\nEND\r\n");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->process_id, 7.0);
  EXPECT_EQ(s->uptime_seconds, 90.0);
  EXPECT_EQ(s->reading.hits, 9.0);
  EXPECT_EQ(s->reading.misses, 1.0);
  EXPECT_EQ(s->reading.expired, 9.0);
  EXPECT_EQ(s->reading.evictions, 5.0);
  EXPECT_EQ(s->reading.commands, 14.0);
  EXPECT_EQ(s->reading.memory_bytes, 1000.0);
  EXPECT_EQ(s->reading.memory_limit_bytes, 67108864.0);
  EXPECT_EQ(s->reading.keys, 12.0);
  EXPECT_EQ(s->reading.clients, 3.0);
}

TEST(MemcachedStats, LeaveOutWhatIsNotSaid) {
  const auto s =
      parse_memcached_stats("STAT uptime 1\r\nSTAT get_hits many\r\nSTAT evictions\r\nSTAT \r\nEND\r\n");
  ASSERT_TRUE(s);
  EXPECT_FALSE(s->reading.hits);
  EXPECT_FALSE(s->reading.evictions);
  EXPECT_FALSE(s->reading.expired);
  EXPECT_FALSE(s->reading.commands);
}

TEST(MemcachedStats, RefuseOtherText) {
  for (const char* text :
       {"", "END\r\n", "ERROR\r\n", "STAT a 1\r\nHTTP/1.1\r\nEND\r\n", "CLIENT_ERROR unauthenticated\r\n"})
    EXPECT_FALSE(parse_memcached_stats(text)) << text;
}

TEST(MemcachedAnswer, IsWholeAtItsEndOrAtAnError) {
  for (const char* whole : {"END\r\n", "STAT a 1\r\nEND\r\n", "ERROR\r\n", "VERSION 1.6\r\n", "STORED\r\n"})
    EXPECT_TRUE(is_whole_answer(whole)) << whole;
  for (const char* part : {"", "STAT a 1\r\n", "STAT a 1\r\nEND", "STAT a END\r\n", "VERS", "STAT aEND\r\n"})
    EXPECT_FALSE(is_whole_answer(part)) << part;
}

}  // namespace
}  // namespace sidelight
