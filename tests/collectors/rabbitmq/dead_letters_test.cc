#include "collectors/rabbitmq/dead_letters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sidelight::rabbitmq {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

QueueName q(const char* name) {
  return {"/", name};
}

DeadLetterRoute route(const char* from, const char* exchange, std::optional<std::string> key = {}) {
  return {q(from), exchange, std::move(key), false, true};
}

TEST(TopicMatches, WordsAndWildcards) {
  EXPECT_TRUE(topic_matches("a.b", "a.b"));
  EXPECT_FALSE(topic_matches("a.b", "a.c"));
  EXPECT_FALSE(topic_matches("a.b", "a.b.c"));
  EXPECT_TRUE(topic_matches("a.*", "a.b"));
  EXPECT_FALSE(topic_matches("a.*", "a"));
  EXPECT_FALSE(topic_matches("a.*", "a.b.c"));
  EXPECT_TRUE(topic_matches("a.#", "a"));
  EXPECT_TRUE(topic_matches("a.#", "a.b.c"));
  EXPECT_TRUE(topic_matches("#.c", "a.b.c"));
  EXPECT_TRUE(topic_matches("#", ""));
  EXPECT_TRUE(topic_matches("a.#.d.*", "a.b.c.d.e"));
  EXPECT_FALSE(topic_matches("a.#.d.*", "a.b.c.d"));
}

TEST(DeadLetterQueues, ByTheDefaultExchange) {
  EXPECT_THAT(dead_letter_queues({route("work", "", "dead")}, {}), ElementsAre(q("dead")));
  EXPECT_THAT(dead_letter_queues({route("work", "")}, {}), IsEmpty());
}

TEST(DeadLetterQueues, ByTheBindingsOfTheExchange) {
  const std::vector<Binding> bindings{{"dead.a", false, "a"}, {"dead.b", false, "b.#"}};
  const auto found = [&](const char* type, std::optional<std::string> key) {
    return dead_letter_queues({route("work", "dlx", std::move(key))}, {{{"/", "dlx"}, {type, bindings}}});
  };
  EXPECT_THAT(found("direct", "a"), ElementsAre(q("dead.a")));
  EXPECT_THAT(found("direct", "b.x"), IsEmpty());
  EXPECT_THAT(found("topic", "b.x"), ElementsAre(q("dead.b")));
  EXPECT_THAT(found("fanout", "z"), ElementsAre(q("dead.a"), q("dead.b")));
  EXPECT_THAT(found("headers", "z"), ElementsAre(q("dead.a"), q("dead.b")));
  EXPECT_THAT(found("direct", std::nullopt), ElementsAre(q("dead.a"), q("dead.b")));
}

TEST(DeadLetterQueues, ThroughExchangesThatAreBoundToExchanges) {
  const std::map<ExchangeName, Exchange> exchanges{
      {{"/", "dlx"}, {"fanout", {{"second", true, ""}, {"gone", true, ""}}}},
      {{"/", "second"}, {"fanout", {{"dead", false, ""}, {"dlx", true, ""}}}}};
  EXPECT_THAT(dead_letter_queues({route("work", "dlx")}, exchanges), ElementsAre(q("dead")));
}

TEST(DeadLetterQueues, AnExchangeOfAnotherVhostIsAnotherOne) {
  EXPECT_THAT(dead_letter_queues({route("work", "dlx")}, {{{"b", "dlx"}, {"fanout", {{"dead", false, ""}}}}}),
              IsEmpty());
}

TEST(DeadLetterQueues, WhatAWaitingQueueHandsBackIsNoDeadLetter) {
  // work -> retry (messages expire, nobody consumes) -> work
  DeadLetterRoute back = route("retry", "", "work");
  back.ttl = true;
  back.consumed = false;
  EXPECT_THAT(dead_letter_queues({route("work", "", "retry"), back}, {}), ElementsAre(q("retry")));
  back.ttl = false;  // the messages have a TTL of their own: the circle alone gives it away
  EXPECT_THAT(dead_letter_queues({route("work", "", "retry"), back}, {}), ElementsAre(q("retry")));
}

TEST(DeadLetterQueues, AQueueThatDelaysWithoutACircleHandsOnWork) {
  DeadLetterRoute delay = route("delay", "", "work");
  delay.ttl = true;
  delay.consumed = false;
  EXPECT_THAT(dead_letter_queues({delay}, {}), IsEmpty());
}

TEST(DeadLetterQueues, ExpiredWorkIsADeadLetter) {
  DeadLetterRoute work = route("work", "", "dead");
  work.ttl = true;
  EXPECT_THAT(dead_letter_queues({work}, {}), ElementsAre(q("dead")));
}

TEST(DeadLetterQueues, AQueueIsNotItsOwn) {
  EXPECT_THAT(dead_letter_queues({route("work", "", "work")}, {}), IsEmpty());
}

}  // namespace
}  // namespace sidelight::rabbitmq
