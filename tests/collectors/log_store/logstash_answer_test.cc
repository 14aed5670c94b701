#include "collectors/log_store/logstash_answer.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

// Written after the documentation of the node stats API, shortened.
constexpr const char* kStats = R"({
  "host": "relay", "version": "8.11.1", "status": "green",
  "jvm": {"mem": {"heap_used_percent": 41, "heap_max_in_bytes": 1037959168}},
  "events": {"in": 293658, "filtered": 293658, "out": 293658},
  "pipelines": {
    "shop": {
      "events": {"in": 216610, "filtered": 216485, "out": 216480, "duration_in_millis": 361},
      "plugins": {"inputs": [], "filters": [], "outputs": []},
      "reloads": {"last_error": null, "successes": 3, "failures": 1},
      "queue": {"type": "persisted", "events_count": 125, "queue_size_in_bytes": 29381,
                "max_queue_size_in_bytes": 1073741824,
                "capacity": {"queue_size_in_bytes": 29381, "max_queue_size_in_bytes": 1073741824}}
    },
    "crm": {
      "events": {"in": 5, "filtered": 5, "out": 5},
      "reloads": {"successes": 0, "failures": 0},
      "queue": {"type": "memory", "events_count": 0, "queue_size_in_bytes": 0, "max_queue_size_in_bytes": 0}
    },
    ".monitoring-logstash": {"events": null, "queue": null}
  }
})";

TEST(RelayStats, AreReadByPipeline) {
  const auto s = parse_relay_stats(kStats);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->heap_used_ratio, 0.41);
  ASSERT_EQ(s->pipelines.size(), 2U);
  const LogRelayPipeline& shop = s->pipelines[1];
  EXPECT_EQ(shop.name, "shop");
  EXPECT_EQ(shop.events_in, 216610.0);
  EXPECT_EQ(shop.events_filtered, 216485.0);
  EXPECT_EQ(shop.events_out, 216480.0);
  EXPECT_EQ(shop.queue_events, 125.0);
  EXPECT_EQ(shop.queue_bytes, 29381.0);
  EXPECT_EQ(shop.queue_limit_bytes, 1073741824.0);
  EXPECT_EQ(shop.reload_successes, 3.0);
  EXPECT_EQ(shop.reload_failures, 1.0);
}

TEST(RelayStats, OfAMemoryQueueHaveNoSize) {
  const LogRelayPipeline crm = parse_relay_stats(kStats)->pipelines[0];
  EXPECT_EQ(crm.name, "crm");
  EXPECT_EQ(crm.queue_events, 0.0);
  EXPECT_FALSE(crm.queue_bytes);
  EXPECT_FALSE(crm.queue_limit_bytes);
}

TEST(RelayStats, OfOlderVersionsHaveTheSizesWithinCapacity) {
  const auto s = parse_relay_stats(R"({"pipelines":{"p":{"queue":{"type":"persisted","events":7,
      "capacity":{"queue_size_in_bytes":1,"max_queue_size_in_bytes":2}}}}})");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->pipelines[0].queue_events, 7.0);
  EXPECT_EQ(s->pipelines[0].queue_bytes, 1.0);
  EXPECT_EQ(s->pipelines[0].queue_limit_bytes, 2.0);
  EXPECT_FALSE(s->pipelines[0].events_in);
  EXPECT_FALSE(s->heap_used_ratio);
}

TEST(RelayStats, RefuseOtherText) {
  for (const char* text : {"", "{}", "[]", R"({"pipelines":3})", R"({"status":"green"})"})
    EXPECT_FALSE(parse_relay_stats(text)) << text;
}

TEST(RelayStats, AreBounded) {
  std::string body = R"({"pipelines":{"a":7)";
  for (int i = 0; i < 1000; ++i) body += ",\"p" + std::to_string(i) + "\":{}";
  EXPECT_EQ(parse_relay_stats(body + "}}")->pipelines.size(), kMaxRelayPipelines);
}

}  // namespace
}  // namespace sidelight
