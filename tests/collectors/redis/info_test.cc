#include "collectors/redis/info.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

constexpr const char* kPrimary =
    "# Server\r\nredis_version:7.0.15\r\nrun_id:6f1d9c\r\n\r\n# Clients\r\nconnected_clients:12\r\n"
    "# Memory\r\nused_memory:1048576\r\nmaxmemory:67108864\r\n"
    "# Stats\r\ntotal_commands_processed:77\r\nexpired_keys:4\r\nevicted_keys:5\r\nkeyspace_hits:90\r\n"
    "keyspace_misses:10\r\n"
    "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
    "slave0:ip=10.0.0.2,port=6379,state=online,offset=100,lag=0\r\n"
    "slave1:ip=::1,port=6380,state=online,offset=99,lag=1\r\n"
    "master_replid:aaaa\r\nmaster_repl_offset:123\r\n"
    "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\ndb11:keys=40,expires=0,avg_ttl=0\r\n";

TEST(RedisInfo, ReadsAPrimary) {
  const auto info = parse_redis_info(kPrimary);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->run_id, "6f1d9c");
  EXPECT_FALSE(info->is_replica());
  EXPECT_EQ(info->reading.hits, 90.0);
  EXPECT_EQ(info->reading.misses, 10.0);
  EXPECT_EQ(info->reading.expired, 4.0);
  EXPECT_EQ(info->reading.evictions, 5.0);
  EXPECT_EQ(info->reading.commands, 77.0);
  EXPECT_EQ(info->reading.clients, 12.0);
  EXPECT_EQ(info->reading.memory_bytes, 1048576.0);
  EXPECT_EQ(info->reading.memory_limit_bytes, 67108864.0);
  EXPECT_EQ(info->reading.keys, 43.0);
  EXPECT_EQ(info->primary_offset, 123.0);
  EXPECT_FALSE(info->replica_offset);
  EXPECT_FALSE(info->link_up);
  ASSERT_EQ(info->replicas.size(), 2U);
  EXPECT_EQ(info->replicas[0].node(), "10.0.0.2:6379");
  EXPECT_EQ(info->replicas[1].node(), "[::1]:6380");
}

TEST(RedisInfo, ReadsAReplica) {
  const auto info = parse_redis_info(
      "redis_version:7.0.15\r\nrole:slave\r\nmaster_link_status:down\r\nslave_repl_offset:100\r\n"
      "master_replid:aaaa\r\nmaster_repl_offset:100\r\n");
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->is_replica());
  EXPECT_EQ(info->link_up, false);
  EXPECT_EQ(info->replica_offset, 100.0);
}

TEST(RedisInfo, LeavesOutWhatIsNotSaid) {
  const auto info =
      parse_redis_info("redis_version:7\nrole:master\nmaxmemory:0\nkeyspace_hits:many\nused_memory:-5\n");
  ASSERT_TRUE(info);
  EXPECT_FALSE(info->reading.memory_limit_bytes);  // unlimited
  EXPECT_FALSE(info->reading.hits);
  EXPECT_FALSE(info->reading.memory_bytes);
  EXPECT_FALSE(info->reading.keys);  // without the section nothing is known; with an empty one there is none
  EXPECT_EQ(parse_redis_info("redis_version:7\nrole:master\n# Keyspace\n")->reading.keys, 0.0);
}

TEST(RedisInfo, RefusesOtherText) {
  for (const char* text : {"", "OK", "# Server\r\n", "role:master\r\n", "<html>role:master</html>"})
    EXPECT_FALSE(parse_redis_info(text)) << text;
}

TEST(RedisInfo, TakesNoMoreReplicasThanItsBound) {
  std::string text = "redis_version:7\nrole:master\n";
  for (int i = 0; i < 1000; ++i)
    text += "slave" + std::to_string(i) + ":ip=10.0.0.1,port=" + std::to_string(i + 1) + "\n";
  EXPECT_EQ(parse_redis_info(text)->replicas.size(), kMaxCacheNodes);
}

}  // namespace
}  // namespace sidelight
