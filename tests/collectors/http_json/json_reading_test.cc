#include "collectors/http_json/json_reading.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

JsonReading read(const char* document, JsonMetric metric) {
  const auto doc = JsonDocument::parse(document);
  const auto rule = make_json_rule(metric);
  EXPECT_TRUE(doc && rule) << document;
  return doc && rule ? doc->read(*rule, metric.type) : JsonReading{};
}

JsonMetric at(const char* pointer) {
  JsonMetric m;
  m.pointer = pointer;
  return m;
}

double value(const char* document, const char* pointer) {
  const JsonReading r = read(document, at(pointer));
  EXPECT_EQ(r.problem, "") << document;
  EXPECT_EQ(r.series.size(), 1U) << document;
  return r.series.empty() ? -1 : r.series[0].value;
}

TEST(JsonReading, TakesNumbersBooleansAndStringsThatAreNumbers) {
  EXPECT_EQ(value(R"({"workers":{"busy":3}})", "/workers/busy"), 3);
  EXPECT_EQ(value(R"({"a":-1.5e3})", "/a"), -1500);
  EXPECT_EQ(value(R"({"a":true})", "/a"), 1);
  EXPECT_EQ(value(R"({"a":false})", "/a"), 0);
  EXPECT_EQ(value(R"({"a":"12.5"})", "/a"), 12.5);
  EXPECT_EQ(value(R"([10,20])", "/1"), 20);
  EXPECT_EQ(value("7", ""), 7);
  EXPECT_DOUBLE_EQ(value(R"({"a":99999999999999999999999})", "/a"), 1e23);
}

TEST(JsonReading, IsAbsentAndSaysWhyWhereThereIsNoNumber) {
  for (const char* document : {R"({})", R"({"a":{}})", R"([])", "7"}) {
    const JsonReading r = read(document, at("/a/b"));
    EXPECT_TRUE(r.series.empty()) << document;
    EXPECT_EQ(r.problem, "nothing is at its pointer") << document;
  }
  for (const char* document : {R"({"a":"x"})", R"({"a":"1 "})", R"({"a":"nan"})", R"({"a":"inf"})",
                               R"({"a":""})", R"({"a":[]})", R"({"a":{"b":1}})"}) {
    const JsonReading r = read(document, at("/a"));
    EXPECT_TRUE(r.series.empty()) << document;
    EXPECT_EQ(r.problem, "no number is there") << document;
  }
  EXPECT_TRUE(read("[1]", at("/00")).series.empty());
  EXPECT_TRUE(read("[1]", at("/-")).series.empty());
}

TEST(JsonReading, TakesNullForUnknown) {
  const JsonReading r = read(R"({"a":null})", at("/a"));
  EXPECT_TRUE(r.series.empty());
  EXPECT_EQ(r.problem, "");
}

TEST(JsonReading, RefusesANegativeCounter) {
  JsonMetric m = at("/a");
  m.type = MetricKind::counter;
  const JsonReading r = read(R"({"a":-1})", m);
  EXPECT_TRUE(r.series.empty());
  EXPECT_NE(r.problem, "");
}

TEST(JsonReading, MakesASeriesOfEachMember) {
  JsonMetric m = at("/orders/*");
  m.labels = {{"site", "north"}};
  m.labels_from = {{"status", "key"}};
  const JsonReading r = read(R"({"orders":{"new":5,"priced":"7","odd":"x","unknown":null}})", m);
  ASSERT_EQ(r.series.size(), 2U);
  EXPECT_EQ(r.series[0].labels, (Labels{{"site", "north"}, {"status", "new"}}));
  EXPECT_EQ(r.series[0].value, 5);
  EXPECT_EQ(r.series[1].value, 7);
  EXPECT_EQ(r.problem, "no number is there");
}

TEST(JsonReading, MakesASeriesOfEachElementWithLabelsFromWithin) {
  JsonMetric m = at("/sites/*/machines/*/load");
  m.labels_from = {{"machine", "/id"}, {"site", "key1"}};
  const JsonReading r = read(
      R"({"sites":{"north":{"machines":[{"id":"m1","load":0.5},{"id":2,"load":0.25}]},"south":{"machines":[{"load":1},{"id":"m1","load":3}]}}})",
      m);
  ASSERT_EQ(r.series.size(), 3U);
  EXPECT_EQ(r.series[0].labels, (Labels{{"machine", "m1"}, {"site", "north"}}));
  EXPECT_EQ(r.series[1].labels, (Labels{{"machine", "2"}, {"site", "north"}}));
  EXPECT_EQ(r.series[2].labels, (Labels{{"machine", "m1"}, {"site", "south"}}));
  EXPECT_EQ(r.problem, "a label has no value");
}

TEST(JsonReading, ShowsEachSetOfLabelsOnce) {
  JsonMetric m = at("/*/v");
  m.labels_from = {{"name", "/n"}};
  const std::string stem(200, 'x');  // values are cut at 200 bytes
  const std::string document =
      R"([{"n":"a","v":1},{"n":"a","v":2},{"n":")" + stem + R"(1","v":3},{"n":")" + stem + R"(2","v":4}])";
  const JsonReading r = read(document.c_str(), m);
  ASSERT_EQ(r.series.size(), 2U);
  EXPECT_EQ(r.problem, "its labels are those of an earlier one (2 times)");
}

TEST(JsonReading, AnEmptyListIsNoProblem) {
  JsonMetric m = at("/orders/*");
  m.labels_from = {{"status", "key"}};
  EXPECT_EQ(read(R"({"orders":{}})", m).problem, "");
  EXPECT_EQ(read(R"({"orders":3})", m).problem, "nothing is at its pointer");
}

TEST(JsonDocument, RefusesWhatIsNoJson) {
  for (const char* text : {"", "<html>", "{", "{\"a\":1}x", "{\"a\":NaN}", "{'a':1}", "\"\xff\""})
    EXPECT_FALSE(JsonDocument::parse(text)) << text;
}

TEST(JsonDocument, RefusesEndlessNesting) {
  EXPECT_FALSE(JsonDocument::parse(std::string(1'000'000, '[')));
  EXPECT_TRUE(JsonDocument::parse(std::string(100, '[') + std::string(100, ']')));
  EXPECT_TRUE(JsonDocument::parse("\"" + std::string(500, '[') + "\\\"" + std::string(500, '[') + "\""));
}

}  // namespace
}  // namespace sidelight
