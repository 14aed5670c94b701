// The processors that change, parse, drop and sample, one by one.
#include <gtest/gtest.h>

#include <set>

#include "tests/agent/process/process_testing.h"

namespace sidelight::test {
namespace {

Processors add(NamedTexts fields, bool overwrite = true) {
  return {processor([&](ProcessorOptions& p) { p.add = {std::move(fields), overwrite}; })};
}
Processors remove(std::vector<std::string> fields) {
  return {processor([&](ProcessorOptions& p) { p.remove = {std::move(fields)}; })};
}
Processors rename(const std::string& from, const std::string& to) {
  return {processor([&](ProcessorOptions& p) { p.rename = {from, to}; })};
}
Processors copy(const std::string& from, const std::string& to) {
  return {processor([&](ProcessorOptions& p) { p.copy = {from, to}; })};
}
Processors parse(ParseFieldOptions options) {
  return {processor([&](ProcessorOptions& p) { p.parse = std::move(options); })};
}

TEST(Add, SetsFieldsAndLabels) {
  Line line(
      add({{"service.environment", "prod"}, {"team", "checkout"}, {"level", "WARN"}, {"url.port", "8080"}}),
      Format::json);
  const Json d = line.one(R"({"msg":"m","team":"old","level":"info"})");
  EXPECT_EQ(d["service"]["environment"], "prod");
  EXPECT_EQ(d["labels"]["team"], "checkout");
  EXPECT_EQ(d["log"]["level"], "warning");
  EXPECT_EQ(d["url"]["port"], 8080);
}

TEST(Add, LeavesWhatIsThereWhenAskedTo) {
  Line line(add({{"team", "new"}, {"service", "crm"}}, false), Format::json, {"shop", {}, {}});
  const Json d = line.one(R"({"msg":"m","team":"old"})");
  EXPECT_EQ(d["labels"]["team"], "old");
  EXPECT_EQ(d["service"]["name"], "shop");
}

TEST(Add, AValueThatTheFieldCannotTakeBecomesALabel) {
  Line line(add({{"url.port", "none"}}), Format::json);
  EXPECT_EQ(line.one("{}")["labels"]["url.port"], "none");
}

TEST(Remove, TakesFieldsByNameAndWildcard) {
  Line line(remove({"a", "http.*", "labels.tmp_?", "level"}), Format::json);
  const Json d =
      line.one(R"({"msg":"m","a":1,"b":2,"tmp_1":3,"tmp_10":4,"level":"info","http.request.method":"GET"})");
  EXPECT_EQ(d["labels"], Json::parse(R"({"b":2,"tmp_10":4})"));
  EXPECT_FALSE(d.contains("http"));
  EXPECT_FALSE(d["log"].contains("level"));
}

TEST(Rename, MovesBetweenLabelsAndSchema) {
  Line line(rename("usr", "user.name"), Format::json);
  const Json d = line.one(R"({"msg":"m","usr":"ivan"})");
  EXPECT_EQ(d["user"]["name"], "ivan");
  EXPECT_FALSE(d.contains("labels"));
  Line back(rename("user.name", "who"), Format::json);
  EXPECT_EQ(back.one(R"({"msg":"m","user.name":"ivan"})")["labels"]["who"], "ivan");
  Line message(rename("text", "message"), Format::json);
  EXPECT_EQ(message.one(R"({"text":"a \"b\""})")["message"], "a \"b\"");
}

TEST(Rename, OfWhatIsNotThereDoesNothing) {
  Line line(rename("nothing", "x"), Format::json);
  EXPECT_FALSE(line.one(R"({"msg":"m"})").contains("labels"));
}

TEST(Copy, KeepsBoth) {
  Line line(copy("trace.id", "correlation"), Format::json);
  const Json d = line.one(R"({"msg":"m","trace.id":"abc"})");
  EXPECT_EQ(d["trace"]["id"], "abc");
  EXPECT_EQ(d["labels"]["correlation"], "abc");
}

TEST(ParseField, JsonInAField) {
  Line line(
      parse({.field = "payload", .format = FieldFormat::json, .pattern = {}, .prefix = {}, .remove = true}),
      Format::json);
  const Json d = line.one(
      R"({"msg":"m","payload":"{\"level\":\"error\",\"order\":7,\"http.request.method\":\"GET\"}"})");
  EXPECT_EQ(d["labels"], Json::parse(R"({"order":7})"));
  EXPECT_EQ(d["log"]["level"], "error");
  EXPECT_EQ(d["http"]["request"]["method"], "GET");
  EXPECT_EQ(d["message"], "m");
}

TEST(ParseField, WithAPrefixAllIsLabels) {
  Line line(parse({.field = "payload", .pattern = {}, .prefix = "p."}), Format::json);
  const Json d = line.one(R"({"msg":"m","payload":"{\"level\":\"error\",\"order\":7,\"msg\":\"inner\"}"})");
  EXPECT_EQ(d["labels"]["p.order"], 7);
  EXPECT_EQ(d["labels"]["p.level"], "error");
  EXPECT_EQ(d["labels"]["p.message"], "inner");
  EXPECT_EQ(d["message"], "m");
}

TEST(ParseField, LogfmtPairsAndRegex) {
  Line logfmt(parse({.format = FieldFormat::logfmt, .pattern = {}, .prefix = {}}), Format::raw);
  EXPECT_EQ(logfmt.one("order=7 took_ms=12.5")["labels"], Json::parse(R"({"order":"7","took_ms":"12.5"})"));
  Line pairs(parse({.format = FieldFormat::key_value,
                    .pattern = {},
                    .pair_separator = ";",
                    .value_separator = ":",
                    .prefix = {}}),
             Format::raw);
  EXPECT_EQ(pairs.one("order: 7; name: \"a;b\" ;junk;:x")["labels"],
            Json::parse(R"({"order":"7","name":"a;b"})"));
  Line regex(parse({.format = FieldFormat::regex,
                    .pattern = "order (?P<order>\\d+) took (?P<took_ms>\\d+)",
                    .prefix = {}}),
             Format::raw);
  const Json d = regex.one("order 7 took 12 ms");
  EXPECT_EQ(d["labels"], Json::parse(R"({"order":"7","took_ms":"12"})"));
  EXPECT_EQ(d["message"], "order 7 took 12 ms");
}

TEST(ParseField, WhatDoesNotParseStays) {
  Line line(parse({.field = "payload", .pattern = {}, .prefix = {}, .remove = true}), Format::json);
  EXPECT_EQ(line.one(R"({"msg":"m","payload":"{broken"})")["labels"]["payload"], "{broken");
}

TEST(Drop, CountsByItsRule) {
  Line line({processor([](ProcessorOptions& p) { p.drop.emplace(); }, when_level({"debug"}))}, Format::json);
  const Shipped s = line.ship({R"({"level":"debug"})", R"({"level":"info"})", R"({"level":"debug"})"});
  EXPECT_EQ(s.documents.size(), 1u);
  EXPECT_EQ(s.dropped.at(Verdict::drop), 2);
}

std::vector<std::string> traces(int n, const std::string& level) {
  std::vector<std::string> lines;
  for (int i = 0; i < n; ++i)
    lines.push_back(R"({"level":")" + level + R"(","trace_id":"t)" + std::to_string(i / 4) + R"("})");
  return lines;
}

TEST(Sample, KeepsTheShareAndWholeTraces) {
  const auto sample = [](double keep) {
    return Processors{processor([&](ProcessorOptions& p) { p.sample = SampleOptions{keep, {}}; })};
  };
  Line tenth(sample(0.1), Format::json);
  const Shipped s = tenth.ship(traces(40'000, "info"));
  EXPECT_NEAR(static_cast<double>(s.documents.size()), 4000, 400);
  EXPECT_EQ(s.dropped.at(Verdict::sampled) + static_cast<int>(s.documents.size()), 40'000);
  std::map<std::string, int> kept;
  for (const Json& d : s.documents) ++kept[d["trace"]["id"]];
  for (const auto& [trace, n] : kept) EXPECT_EQ(n, 4) << trace;
  // Another service that keeps more keeps these too.
  Line fifth(sample(0.2), Format::json);
  std::set<std::string> more;
  for (const Json& d : fifth.ship(traces(40'000, "info")).documents) more.insert(d["trace"]["id"]);
  for (const auto& [trace, n] : kept) EXPECT_TRUE(more.contains(trace));
}

TEST(Sample, ByLevelAndTheSameInAReplay) {
  const Processors p = {processor([](ProcessorOptions& o) {
    o.sample = SampleOptions{1.0, {{"debug", "0.1"}, {"error", "1"}, {"trace", "0"}}};
  })};
  std::vector<std::string> lines;
  for (int i = 0; i < 3000; ++i) {
    lines.emplace_back(R"({"level":"debug"})");
    lines.emplace_back(R"({"level":"error"})");
    lines.emplace_back(R"({"level":"trace"})");
  }
  Line first(p, Format::json);
  const Shipped a = first.ship(lines);
  EXPECT_NEAR(static_cast<double>(a.documents.size()), 3300, 60);
  Line again(p, Format::json);
  EXPECT_EQ(again.ship(lines).ids, a.ids);
}

TEST(Sample, RefusesWhatIsNoShare) {
  MemoryFileSystem files;
  const auto with = [&](const NamedTexts& levels) {
    return Chain::make({processor([&](ProcessorOptions& o) { o.sample = SampleOptions{1.0, levels}; })},
                       files, {})
        .has_value();
  };
  EXPECT_TRUE(with({{"debug", "0.5"}}));
  EXPECT_FALSE(with({{"debug", "2"}}));
  EXPECT_FALSE(with({{"debug", "half"}}));
  EXPECT_FALSE(with({{"loud", "0.5"}}));
}

TEST(Truncate, CutsBetweenCharacters) {
  Line line({processor([](ProcessorOptions& p) { p.truncate = {"message", 5}; })}, Format::json);
  EXPECT_EQ(line.one(R"({"msg":"абв"})")["message"], "аб");
  EXPECT_EQ(line.one(R"({"msg":"abc"})")["message"], "abc");
  EXPECT_EQ(line.one(R"({"msg":"a\nb\nc\n"})")["message"], "a\nb\nc");
  Line label({processor([](ProcessorOptions& p) { p.truncate = {"o", 4}; })}, Format::json);
  EXPECT_EQ(label.one(R"({"msg":"m","o":{"a":"long"}})")["labels"]["o"], "{\"a\"");
}

TEST(Metadata, FilesOfTheDownwardApiAndEnvironment) {
  MetadataOptions o;
  o.labels_file = "/etc/podinfo/labels";
  o.only = {"app*"};
  o.values = {{"service.version", "1.2"}, {"build", "77"}};
  MemoryFileSystem files;
  files.write_file("/etc/podinfo/labels",
                   "app=\"shop\"\napp.kubernetes.io/name=\"the \\\"shop\\\"\"\npod-template-hash=\"abc\"\n");
  auto chain = Chain::make({processor([&](ProcessorOptions& p) { p.metadata = o; })}, files, {});
  ASSERT_TRUE(chain.has_value()) << chain.error().message;
  Arena arena;
  Record record;
  const Event event;
  record.event = &event;
  record.labels.push_back({"build", "own", ValueKind::text});
  std::vector<PendingSummary> none;
  (*chain)->process(record, {arena, 0, 0, &(*chain)->zone(), "", nullptr}, nullptr, none);
  std::map<std::string, std::string> labels;
  for (const Field& f : record.labels) labels[std::string(f.key)] = f.value;
  EXPECT_EQ(labels, (std::map<std::string, std::string>{
                        {"build", "own"},
                        {"kubernetes.labels.app", "shop"},
                        {"kubernetes.labels.app.kubernetes.io/name", "the \"shop\""}}));
  EXPECT_EQ(record.ecs.at(0).key, "service.version");
  o.labels_file = "/nothing";
  EXPECT_FALSE(Chain::make({processor([&](ProcessorOptions& p) { p.metadata = o; })}, files, {}).has_value());
}

TEST(Chain, GoesInOrder) {
  Processors p = copy("a", "b");
  p.push_back(processor([](ProcessorOptions& o) { o.remove = {{"a"}}; }));
  p.push_back(processor([](ProcessorOptions& o) { o.add = {{{"c", "1"}}, true}; },
                        [] {
                          ConditionOptions c;
                          c.must.fields = {{"b", "x", "", ""}};
                          return c;
                        }()));
  Line line(p, Format::json);
  EXPECT_EQ(line.one(R"({"a":"x"})")["labels"], Json::parse(R"({"b":"x","c":"1"})"));
}

}  // namespace
}  // namespace sidelight::test
