// The texts are answers of RabbitMQ 3.10.8, shortened.
#include "collectors/rabbitmq/answers.h"

#include <gtest/gtest.h>

namespace sidelight::rabbitmq {
namespace {

QueueFacts only_queue(const std::string& item) {
  const auto page = read_queue_page(R"({"filtered_count":1,"page_count":1,"items":[)" + item + "]}");
  EXPECT_TRUE(page && page->queues.size() == 1) << item;
  return page && page->queues.size() == 1 ? page->queues[0] : QueueFacts{};
}

TEST(QueueAnswer, OfABusyClassicQueue) {
  const auto q = only_queue(
      R"({"arguments":{"x-dead-letter-exchange":"dlx","x-dead-letter-routing-key":"dead"},)"
      R"("consumer_utilisation":0.42,"consumers":1,"effective_policy_definition":{},)"
      R"("head_message_timestamp":1795514575,"message_stats":{"ack":1,"deliver_get":7,"deliver_no_ack":2,)"
      R"("get_no_ack":3,"get":4,"publish":20,"redeliver":1},"messages_ready":14,)"
      R"("messages_unacknowledged":5,"name":"mes.a","state":"running","type":"classic","vhost":"/"})");
  EXPECT_EQ(q.name, QueueName("/", "mes.a"));
  EXPECT_EQ(q.type, QueueType::classic);
  EXPECT_EQ(q.ready, 14);
  EXPECT_EQ(q.unacked, 5);
  EXPECT_EQ(q.depth(), 19);
  EXPECT_EQ(q.consumers, 1);
  EXPECT_EQ(q.utilisation, 0.42);
  EXPECT_EQ(q.head_timestamp, 1795514575);
  ASSERT_TRUE(q.counters);
  EXPECT_EQ(q.counters->published, 20);
  EXPECT_EQ(q.counters->delivered, 7);
  EXPECT_EQ(q.counters->acked, 1 + 2 + 3);  // those who need not acknowledge have done so
  EXPECT_EQ(q.counters->redelivered, 1);
  EXPECT_EQ(q.counters->gets, 4);
  EXPECT_EQ(q.dead_letter_exchange, "dlx");
  EXPECT_EQ(q.dead_letter_routing_key, "dead");
  EXPECT_FALSE(q.has_ttl);
}

TEST(QueueAnswer, OfAnIdleQueueHasNoCounters) {
  const auto q = only_queue(
      R"({"arguments":{},"consumer_utilisation":0,"consumers":0,"effective_policy_definition":)"
      R"({"dead-letter-exchange":"","dead-letter-routing-key":"mes.dead","message-ttl":60000},)"
      R"("head_message_timestamp":null,"messages_ready":0,"messages_unacknowledged":0,"name":"mes.idle",)"
      R"("type":"classic","vhost":"/"})");
  EXPECT_FALSE(q.counters);
  EXPECT_FALSE(q.head_timestamp);
  EXPECT_EQ(q.depth(), 0);
  EXPECT_EQ(q.dead_letter_exchange, "");
  EXPECT_EQ(q.dead_letter_routing_key, "mes.dead");
  EXPECT_TRUE(q.has_ttl);
}

TEST(QueueAnswer, ThatWasOnlyPublishedToHasZeroOfTheRest) {
  const auto q = only_queue(R"({"name":"q","vhost":"/","message_stats":{"publish":1}})");
  ASSERT_TRUE(q.counters);
  EXPECT_EQ(q.counters->published, 1);
  EXPECT_EQ(q.counters->acked, 0);
  EXPECT_FALSE(q.ready);
  EXPECT_FALSE(q.depth());
}

TEST(QueueAnswer, WithoutStatisticsLacksWhatComesFromThem) {
  const auto q = only_queue(
      R"({"arguments":{"x-queue-type":"stream"},"name":"mes.s","node":"n","type":"stream","vhost":"/"})");
  EXPECT_EQ(q.type, QueueType::stream);
  EXPECT_FALSE(q.ready || q.unacked || q.consumers || q.utilisation || q.counters);
}

TEST(QueueAnswer, ArgumentsWinOverThePolicy) {
  const auto q = only_queue(R"({"name":"q","vhost":"v","arguments":{"x-dead-letter-exchange":"a"},)"
                            R"("effective_policy_definition":{"dead-letter-exchange":"b"}})");
  EXPECT_EQ(q.dead_letter_exchange, "a");
}

TEST(QueueAnswer, ValuesThatCannotBeAreAbsent) {
  const auto q = only_queue(
      R"({"name":"q","vhost":"/","messages_ready":-1,"messages_unacknowledged":"5","consumers":[],)"
      R"("consumer_utilisation":"","message_stats":[],"arguments":null,"type":7,"head_message_timestamp":{}})");
  EXPECT_FALSE(q.ready || q.unacked || q.consumers || q.utilisation || q.counters || q.head_timestamp);
  EXPECT_EQ(only_queue(R"({"name":"q","vhost":"/","consumer_utilisation":2})").utilisation, std::nullopt);
}

TEST(QueueAnswer, PagesAreCounted) {
  const auto page = read_queue_page(
      R"({"filtered_count":1234,"item_count":0,"items":[{"vhost":"/"},7,null],"page":1,"page_count":3})");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->pages, 3u);
  EXPECT_EQ(page->filtered, 1234u);
  EXPECT_TRUE(page->queues.empty());
}

TEST(Answers, OfAnotherShapeAreErrors) {
  for (const char* text :
       {"", "<html>", "[]", "{}", "7", "null", R"({"items":7})", R"({"items":[)", "\xff"}) {
    EXPECT_FALSE(read_queue_page(text)) << text;
    EXPECT_FALSE(read_overview(text)) << text;
    EXPECT_FALSE(read_exchange_type(text)) << text;
  }
  for (const char* text : {"", "<html>", "{}", "7", "[", "null"}) {
    EXPECT_FALSE(read_nodes(text)) << text;
    EXPECT_FALSE(read_bindings(text)) << text;
    EXPECT_FALSE(read_stream_lags(text)) << text;
  }
  EXPECT_FALSE(read_consumer_count("[]"));
}

TEST(NodeAnswer, OfARunningAndOfAStoppedNode) {
  const auto nodes = read_nodes(
      R"([{"mem_limit":1000,"mem_alarm":false,"disk_free_limit":50,"disk_free_alarm":true,"name":"rabbit@a",)"
      R"("running":true,"mem_used":131,"disk_free":81,"uptime":12500},{"name":"rabbit@b","running":false}])");
  ASSERT_TRUE(nodes);
  ASSERT_EQ(nodes->size(), 2u);
  const NodeFacts& a = nodes->front();
  EXPECT_EQ(a.name, "rabbit@a");
  EXPECT_TRUE(a.running);
  EXPECT_EQ(a.memory_alarm, false);
  EXPECT_EQ(a.disk_alarm, true);
  EXPECT_EQ(a.memory_used, 131);
  EXPECT_EQ(a.memory_limit, 1000);
  EXPECT_EQ(a.disk_free, 81);
  EXPECT_EQ(a.disk_limit, 50);
  EXPECT_EQ(a.uptime_seconds, 12.5);
  EXPECT_FALSE(nodes->back().running);
  EXPECT_FALSE(nodes->back().memory_alarm);
}

TEST(OverviewAnswer, SaysVersionAndWhetherThereAreStatistics) {
  const auto o = read_overview(
      R"({"rabbitmq_version":"3.10.8","disable_stats":true,"object_totals":{"connections":1}})");
  ASSERT_TRUE(o);
  EXPECT_EQ(o->version, "3.10.8");
  EXPECT_TRUE(o->no_statistics);
  EXPECT_EQ(o->connections, 1);
  const auto plain = read_overview(R"({"rabbitmq_version":"3.8.0"})");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->no_statistics);
  EXPECT_FALSE(plain->connections);
}

TEST(BindingAnswer, TellsQueuesFromExchanges) {
  const auto b =
      read_bindings(R"([{"destination":"mes.dead","destination_type":"queue","routing_key":"dead"},)"
                    R"({"destination":"more","destination_type":"exchange","routing_key":""}])");
  ASSERT_TRUE(b);
  ASSERT_EQ(b->size(), 2u);
  EXPECT_EQ((*b)[0].destination, "mes.dead");
  EXPECT_FALSE((*b)[0].to_exchange);
  EXPECT_EQ((*b)[0].routing_key, "dead");
  EXPECT_TRUE((*b)[1].to_exchange);
}

TEST(SmallAnswers, AreRead) {
  EXPECT_EQ(read_exchange_type(R"({"type":"topic"})").value(), "topic");
  EXPECT_EQ(read_consumer_count(R"({"consumer_details":[{"consumer_tag":"a"},{}],"name":"q"})").value(), 2u);
  EXPECT_EQ(read_consumer_count(R"({"name":"q"})").value(), 0u);
  const auto lags =
      read_stream_lags(R"([{"queue":{"name":"s","vhost":"/"},"offset_lag":3},)"
                       R"({"queue":{"name":"s","vhost":"/"},"offset_lag":9},{"offset_lag":1}])");
  ASSERT_TRUE(lags);
  EXPECT_EQ(lags->size(), 1u);
  EXPECT_EQ(lags->at({"/", "s"}), 9);
  EXPECT_EQ(read_reason(R"({"error":"not_authorized","reason":"Login failed"})"), "Login failed");
  EXPECT_EQ(read_reason("<html>"), "");
}

}  // namespace
}  // namespace sidelight::rabbitmq
