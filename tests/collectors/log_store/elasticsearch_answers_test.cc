#include "collectors/log_store/elasticsearch_answers.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

// The settings of one place, as the cluster nests them.
std::string at(const std::string& place, const std::string& watermark) {
  return "\"" + place + R"(":{"cluster":{"routing":{"allocation":{"disk":{"watermark":{)" + watermark +
         "}}}}}}";
}

std::optional<double> low(const std::string& settings, double disk_gib) {
  const auto watermarks = parse_watermarks("{" + settings + "}");
  return watermarks && !watermarks->empty() ? watermark_ratio(watermarks->front(), disk_gib * kGiB)
                                            : std::nullopt;
}

TEST(StoreInfo, TellsTheDistributions) {
  const auto es = parse_store_info(R"({"version":{"number":"8.9.0"}})");
  ASSERT_TRUE(es);
  EXPECT_EQ(es->distribution, "elasticsearch");
  EXPECT_EQ(es->version, "8.9.0");
  EXPECT_EQ(parse_store_info(R"({"version":{"number":"2","distribution":"opensearch"}})")->distribution,
            "opensearch");
  for (const char* text : {"", "[]", "{}", R"({"version":8})", "<html>"})
    EXPECT_FALSE(parse_store_info(text)) << text;
}

TEST(StoreHealth, IsRead) {
  const auto h = parse_store_health(
      R"({"status":"yellow","number_of_nodes":3,"active_shards":10,"relocating_shards":1,"unassigned_shards":2})");
  ASSERT_TRUE(h);
  EXPECT_EQ(h->status, "yellow");
  EXPECT_EQ(h->nodes, 3.0);
  EXPECT_EQ(h->shards.size(), 3U);  // what is not said is left out
  for (const char* text : {"{}", R"({"status":"purple"})", R"({"status":1})", "7"})
    EXPECT_FALSE(parse_store_health(text)) << text;
}

TEST(StoreNodes, AreReadUnderTheirNames) {
  const auto nodes = parse_store_nodes(R"({"nodes":{"id1":{"name":"a",
      "thread_pool":{"write":{"queue":3,"rejected":7},"search":{"queue":0}},
      "fs":{"total":{"total_in_bytes":100,"available_in_bytes":40}},"jvm":{"mem":{"heap_used_percent":55}}},
      "id2":{"name":"a"},"id3":{}}})");
  ASSERT_TRUE(nodes);
  ASSERT_EQ(nodes->size(), 3U);
  EXPECT_EQ((*nodes)[0].name, "a");
  EXPECT_EQ((*nodes)[0].pools[0].rejected, 7.0);
  EXPECT_EQ((*nodes)[0].pools[0].queue, 3.0);
  EXPECT_FALSE((*nodes)[0].pools[1].rejected);
  EXPECT_EQ((*nodes)[0].disk_free_bytes, 40.0);
  EXPECT_EQ((*nodes)[0].heap_used_ratio, 0.55);
  EXPECT_EQ((*nodes)[1].name, "id2");  // the name is taken
  EXPECT_EQ((*nodes)[2].name, "id3");
  EXPECT_FALSE(parse_store_nodes("{}"));
  EXPECT_FALSE(parse_store_nodes(R"({"nodes":[]})"));
}

TEST(StoreNodes, AreBoundedAndNeverTwice) {
  std::string body = R"({"nodes":{"a":{"name":"b"},"b":{"name":"b"})";
  for (int i = 0; i < 1000; ++i) body += ",\"n" + std::to_string(i) + "\":{}";
  const auto nodes = parse_store_nodes(body + "}}");
  ASSERT_TRUE(nodes);
  EXPECT_EQ(nodes->size(), kMaxStoreNodes);
  EXPECT_EQ((*nodes)[0].name, "b");
  EXPECT_EQ((*nodes)[1].name, "n0");
}

TEST(Watermarks, TakeTheStrongestSetting) {
  const std::string defaults = at("defaults", R"("low":"85%","high":"90%","flood_stage":"95%")");
  EXPECT_EQ(low(defaults, 10), 0.85);
  EXPECT_EQ(low(at("persistent", R"("low":"0.7")") + "," + defaults, 10), 0.7);
  EXPECT_EQ(low(at("transient", R"("low":"60%")") + "," + at("persistent", R"("low":"0.7")"), 10), 0.6);
  EXPECT_FALSE(low("", 10));
}

TEST(Watermarks, OfFreeSpaceBecomeAShareOfTheDisk) {
  const std::string settings = at("persistent", R"("low":"50gb")");
  EXPECT_DOUBLE_EQ(low(settings, 100).value_or(-1), 0.5);
  EXPECT_DOUBLE_EQ(low(settings, 500).value_or(-1), 0.9);
  EXPECT_EQ(low(settings, 20), 0.0);
  EXPECT_FALSE(low(settings, 0));
  for (const std::string odd : {"x", "-1", "150%", "5 gb", "1e400"})
    EXPECT_FALSE(low(at("persistent", "\"low\":\"" + odd + "\""), 10)) << odd;
}

TEST(Watermarks, KnowTheHeadroomOfLargeDisks) {
  const std::string settings = at("defaults", R"("low":"85%","low.max_headroom":"200GB")");
  EXPECT_DOUBLE_EQ(low(settings, 1000).value_or(-1), 0.85);
  EXPECT_DOUBLE_EQ(low(settings, 4000).value_or(-1), 0.95);
  EXPECT_DOUBLE_EQ(low(at("defaults", R"("low":"85%","low.max_headroom":"-1")"), 4000).value_or(-1), 0.85);
}

TEST(Watermarks, AreNoneWhenSwitchedOff) {
  const auto none = parse_watermarks(
      R"({"persistent":{"cluster":{"routing":{"allocation":{"disk":{"threshold_enabled":"false","watermark":{"low":"85%"}}}}}}})");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST(StoreDocuments, AreThoseOfPrimaries) {
  EXPECT_EQ(parse_store_documents(R"({"_all":{"primaries":{"docs":{"count":12}}}})"), 12.0);
  EXPECT_EQ(parse_store_documents("{}"), 0.0);  // no index at all
  EXPECT_FALSE(parse_store_documents("[]"));
  EXPECT_FALSE(parse_store_documents("x"));
}

}  // namespace
}  // namespace sidelight
