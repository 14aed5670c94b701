#include "collectors/redis/sentinel.h"

#include <gtest/gtest.h>

#include "collectors/cache/cache_metrics.h"

namespace sidelight {
namespace {

RespValue text(std::string value) {
  RespValue v;
  v.type = RespValue::Type::text;
  v.text = std::move(value);
  return v;
}

RespValue list(std::vector<RespValue> items) {
  RespValue v;
  v.type = RespValue::Type::array;
  v.items = std::move(items);
  return v;
}

RespValue replica(const char* ip, const char* port, const char* flags) {
  return list(
      {text("name"), text("x"), text("ip"), text(ip), text("port"), text(port), text("flags"), text(flags)});
}

TEST(Sentinel, SaysWhereTheMasterIs) {
  const auto found = parse_master_address(list({text("10.0.0.1"), text("6379")}), true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->node(), "10.0.0.1:6379");
  EXPECT_TRUE(found->tls);
  for (const RespValue& wrong :
       {list({}), list({text("a")}), list({text("a"), text("0")}), list({text(""), text("1")}),
        list({text("a"), text("port")}), list({text(std::string(1000, 'a')), text("1")}), text("a")})
    EXPECT_FALSE(parse_master_address(wrong, true));
}

TEST(Sentinel, LeavesOutReplicasThatAreDown) {
  RedisTopology out;
  parse_replicas(
      list({replica("10.0.0.2", "6379", "slave"), replica("10.0.0.3", "6379", "s_down,slave,disconnected"),
            replica("10.0.0.4", "no", "slave"), list({text("ip")}), text("x")}),
      false, out);
  ASSERT_EQ(out.replicas.size(), 1U);
  EXPECT_EQ(out.replicas[0].node(), "10.0.0.2:6379");
  ASSERT_EQ(out.warnings.size(), 1U);
  EXPECT_NE(out.warnings[0].find("10.0.0.3:6379"), std::string::npos);
}

TEST(Sentinel, TakesNoMoreReplicasThanItsBound) {
  RedisTopology out;
  std::vector<RespValue> many;
  for (int i = 1; i <= 1000; ++i) many.push_back(replica("10.0.0.2", std::to_string(i).c_str(), "slave"));
  parse_replicas(list(many), false, out);
  EXPECT_EQ(out.replicas.size(), kMaxCacheNodes - 1);
}

}  // namespace
}  // namespace sidelight
