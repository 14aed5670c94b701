#include "agent/process/condition.h"

#include <gtest/gtest.h>

#include "agent/process/wildcard.h"
#include "tests/agent/process/process_testing.h"

namespace sidelight::test {
namespace {

// Whether an event of this line is dropped on that condition.
bool holds(const ConditionOptions& when, const std::string& text, ConstantFields constants = {}) {
  Line line({processor([](ProcessorOptions& p) { p.drop.emplace(); }, when)}, Format::json,
            std::move(constants));
  return line.ship({text}).documents.empty();
}

ConditionOptions field(const FieldTest& test) {
  ConditionOptions c;
  c.must.fields = {test};
  return c;
}

TEST(Condition, ByServiceOfTheLineOrOfTheInput) {
  ConditionOptions c;
  c.must.services = {"shop", "mes-*"};
  EXPECT_TRUE(holds(c, R"({"service":"shop"})"));
  EXPECT_TRUE(holds(c, R"({"service":"mes-api"})"));
  EXPECT_FALSE(holds(c, R"({"service":"crm"})"));
  EXPECT_TRUE(holds(c, "{}", {"shop", {}, {}}));
  EXPECT_FALSE(holds(c, R"({"service":"crm"})", {"shop", {}, {}})) << "the line's own wins";
}

TEST(Condition, ByLevelInAnySpelling) {
  EXPECT_TRUE(holds(when_level({"WARN", "error"}), R"({"level":"warning"})"));
  EXPECT_FALSE(holds(when_level({"WARN", "error"}), R"({"level":"info"})"));
  EXPECT_FALSE(holds(when_level({"warn"}), "{}"));
  EXPECT_TRUE(holds(when_level({"none"}), "{}"));
  EXPECT_FALSE(Condition::make(when_level({"loud"})).has_value());
}

TEST(Condition, ByFields) {
  EXPECT_TRUE(holds(field({"http.request.method", "GET", "", ""}), R"({"http.request.method":"GET"})"));
  EXPECT_FALSE(holds(field({"http.request.method", "GET", "", ""}), R"({"http.request.method":"POST"})"));
  EXPECT_TRUE(holds(field({"path", "", "/health*", ""}), R"({"path":"/healthz"})"));
  EXPECT_TRUE(holds(field({"order", "", "", "^[0-9]+$"}), R"({"order":17})"));
  EXPECT_FALSE(holds(field({"order", "", "", "^[0-9]+$"}), R"({"order":"x17"})"));
  EXPECT_TRUE(holds(field({"labels.order", "", "", ""}), R"({"order":17})"));
  EXPECT_FALSE(holds(field({"order", "", "", ""}), "{}"));
  EXPECT_TRUE(holds(field({"message", "", "*done*", ""}), R"({"msg":"it is \"done\""})"));
  EXPECT_TRUE(holds(field({"message", "it is \"done\"", "", ""}), R"({"msg":"it is \"done\""})"));
  EXPECT_TRUE(holds(field({"team", "x", "", ""}), "{}", {"", {}, {{"team", "x"}}}));
  EXPECT_FALSE(Condition::make(field({"a", "", "", "("})).has_value());
}

TEST(Condition, AnyAndNot) {
  ConditionOptions c;
  SimpleCondition debug;
  debug.levels = {"debug"};
  SimpleCondition health;
  health.fields = {{"path", "", "/health*", ""}};
  c.any = {debug, health};
  EXPECT_TRUE(holds(c, R"({"level":"debug"})"));
  EXPECT_TRUE(holds(c, R"({"path":"/healthz","level":"info"})"));
  EXPECT_FALSE(holds(c, R"({"level":"info"})"));
  ConditionOptions n;
  n.none = {debug, health};
  EXPECT_FALSE(holds(n, R"({"level":"debug"})"));
  EXPECT_TRUE(holds(n, R"({"level":"info"})"));
}

TEST(Wildcard, StarsAndQuestionMarks) {
  EXPECT_TRUE(matches_wildcard("*", ""));
  EXPECT_TRUE(matches_wildcard("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(matches_wildcard("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(matches_wildcard("a?c", "abc"));
  EXPECT_FALSE(matches_wildcard("a?c", "ac"));
  EXPECT_TRUE(matches_wildcard("", ""));
  EXPECT_FALSE(matches_wildcard("", "a"));
}

}  // namespace
}  // namespace sidelight::test
