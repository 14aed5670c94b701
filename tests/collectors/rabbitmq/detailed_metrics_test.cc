// The lines are those of rabbitmq_prometheus 3.10.8.
#include "collectors/rabbitmq/detailed_metrics.h"

#include <gtest/gtest.h>

namespace sidelight::rabbitmq {
namespace {

const NameFilter kMes({"mes.*"});

constexpr const char* kIdentity =
    "# TYPE rabbitmq_build_info untyped\n"
    "rabbitmq_build_info{rabbitmq_version=\"3.10.8\",erlang_version=\"25.2.3\"} 1\n"
    "rabbitmq_identity_info{rabbitmq_node=\"rabbit@a\",rabbitmq_cluster=\"c\"} 1\n";

TEST(DetailedMetrics, GiveDepthAndConsumersOfTheQueuesMeant) {
  const auto a = read_detailed(
      std::string("# TYPE rabbitmq_detailed_queue_messages_ready gauge\n"
                  "# HELP rabbitmq_detailed_queue_messages_ready Messages ready to be delivered\n"
                  "rabbitmq_detailed_queue_messages_ready{vhost=\"/\",queue=\"mes.a\"} 14\n"
                  "rabbitmq_detailed_queue_messages_ready{vhost=\"/\",queue=\"other\"} 3\n"
                  "rabbitmq_detailed_queue_messages_unacked{vhost=\"/\",queue=\"mes.a\"} 5\n"
                  "rabbitmq_detailed_queue_process_reductions_total{vhost=\"/\",queue=\"mes.a\"} 3.8751e4\n"
                  "# TYPE rabbitmq_detailed_queue_consumers gauge\n"
                  "rabbitmq_detailed_queue_consumers{vhost=\"/\",queue=\"mes.a\"} 1\n"
                  "rabbitmq_detailed_process_resident_memory_bytes 132026368\n"
                  "rabbitmq_detailed_disk_space_available_limit_bytes 50000000\n") +
          kIdentity,
      kMes, 10);
  ASSERT_TRUE(a);
  EXPECT_TRUE(a->knows_depth);
  EXPECT_TRUE(a->knows_consumers);
  EXPECT_EQ(a->version, "3.10.8");
  EXPECT_EQ(a->node.name, "rabbit@a");
  EXPECT_EQ(a->node.memory_used, 132026368);
  EXPECT_EQ(a->node.disk_limit, 50000000);
  ASSERT_EQ(a->queues.size(), 1u);
  const auto& q = a->queues.at({"/", "mes.a"});
  EXPECT_EQ(q.ready, 14);
  EXPECT_EQ(q.unacked, 5);
  EXPECT_EQ(q.consumers, 1);
  EXPECT_EQ(q.reductions, 38751);
}

TEST(DetailedMetrics, AFamilyThatTheBrokerDoesNotKnowIsNoticed) {
  const auto a = read_detailed(kIdentity, kMes, 10);
  ASSERT_TRUE(a);
  EXPECT_FALSE(a->knows_depth);
  EXPECT_FALSE(a->knows_consumers);
}

TEST(DetailedMetrics, AnotherPageIsAnError) {
  EXPECT_FALSE(read_detailed("", kMes, 10));
  EXPECT_FALSE(read_detailed("<html>\nnothing\n", kMes, 10));
  EXPECT_FALSE(read_detailed("go_goroutines 7\n", kMes, 10));
}

TEST(DetailedMetrics, NamesAreUnescaped) {
  const auto a = read_detailed(
      std::string(
          "rabbitmq_detailed_queue_messages_ready{vhost=\"a\\\\b\",queue=\"mes.\\\"x\\\"\\n}\"} 1\n") +
          kIdentity,
      kMes, 10);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->queues.count({"a\\b", "mes.\"x\"\n}"}), 0u);  // a glob's `*` does not match a line break
  const auto b = read_detailed(
      std::string("rabbitmq_detailed_queue_messages_ready{vhost=\"a\\\\b\",queue=\"mes.\\\"x\\\"}\"} 1\n") +
          kIdentity,
      kMes, 10);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->queues.count({"a\\b", "mes.\"x\"}"}), 1u);
}

TEST(DetailedMetrics, QueuesAreBounded) {
  std::string page;
  for (int i = 0; i < 20; ++i)
    page += "rabbitmq_detailed_queue_messages_ready{vhost=\"/\",queue=\"mes." + std::to_string(i) + "\"} 1\n";
  const auto a = read_detailed(page + kIdentity, kMes, 10);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->queues.size(), 10u);
  EXPECT_TRUE(a->too_many);
}

TEST(DetailedMetrics, LinesThatAreBrokenAreSkipped) {
  const auto a =
      read_detailed(std::string("rabbitmq_detailed_queue_messages_ready{vhost=\"/\",queue=\"mes.a\n"
                                "rabbitmq_detailed_queue_messages_ready{vhost=\"/\",queue=\"mes.a\"}\n"
                                "rabbitmq_detailed_queue_messages_ready{vhost=\"/\",queue=\"mes.a\"} NaN\n"
                                "rabbitmq_detailed_queue_messages_ready{queue=\"mes.a\"} 4\n"
                                "rabbitmq_detailed_queue_messages_ready{\\\n\n") +
                        kIdentity,
                    kMes, 10);
  ASSERT_TRUE(a);
  EXPECT_TRUE(a->queues.empty());
}

}  // namespace
}  // namespace sidelight::rabbitmq
