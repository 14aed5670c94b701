#include "agent/send/elasticsearch/bootstrap.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/send/elasticsearch/connect_check.h"
#include "tests/agent/send/elasticsearch/fake_elasticsearch.h"

namespace sidelight::test {
namespace {

class KeepingLogger final : public Logger {
 public:
  void write(LogLevel /*level*/, std::string_view /*key*/, const std::string& message) override {
    text += message + "\n";
  }
  bool says(std::string_view words) const { return text.find(words) != std::string::npos; }
  std::string text;
};

constexpr const char* kAcknowledged = R"({"acknowledged":true})";
constexpr const char* kNoTemplates = R"({"index_templates":[]})";

class BootstrapTest : public ::testing::Test {
 protected:
  BootstrapTest() {
    options.hosts = {"http://es:9200"};
    options.data_stream = "logs-shop-default";
  }
  SteppedClock clock;
  KeepingLogger log;
  ElasticsearchOptions options;
  static HttpResponse answer(long status, std::string body = "{}") { return {status, {}, std::move(body)}; }
  // As GET _index_template/NAME shows a template.
  static HttpResponse shown(const std::string& name, const std::string& index_template) {
    return answer(
        200, R"({"index_templates":[{"name":")" + name + R"(","index_template":)" + index_template + "}]}");
  }
  void configure_index(const std::string& index) {
    options.data_stream.clear();
    options.index = index;
  }
  TemplateFit fit(const std::string& index_template) const {
    return judge_template(shown(template_name(options), index_template).body, options);
  }
};

TEST_F(BootstrapTest, LeavesAnExistingTemplateAlone) {
  Bootstrap b(options, log, clock);
  EXPECT_TRUE(b.next(clock.now())->path.starts_with("/_index_template/sidelight-logs-shop-default"));
  EXPECT_FALSE(b.on_answer(shown("sidelight-logs-shop-default", index_template(options, {}))));
  EXPECT_EQ(b.next(clock.now())->method, "GET");
  EXPECT_TRUE(b.next(clock.now())->path.starts_with("/logs-shop-default?"));
  EXPECT_FALSE(b.on_answer(answer(404)));
  EXPECT_TRUE(b.done());
}

TEST_F(BootstrapTest, OurTemplateOfAnIndexIsWrittenAgainForADataStream) {
  ElasticsearchOptions before = options;
  before.data_stream.clear();
  before.index = options.data_stream;
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(shown("sidelight-logs-shop-default", index_template(before, {}))));
  const auto question = b.next(clock.now());
  ASSERT_TRUE(question);
  EXPECT_EQ(question->method, "PUT");
  EXPECT_EQ(question->path, "/_index_template/sidelight-logs-shop-default");
  EXPECT_TRUE(nlohmann::json::parse(question->body).contains("data_stream"));
  EXPECT_TRUE(log.says("writing it again for data_stream logs-shop-default")) << log.text;
  EXPECT_FALSE(b.on_answer(answer(200, kAcknowledged)));
  EXPECT_TRUE(b.next(clock.now())->path.starts_with("/logs-shop-default?"));
}

TEST_F(BootstrapTest, OurTemplateOfADataStreamIsWrittenAgainForAnIndexUnlessItIsStillNeeded) {
  const std::string before = index_template(options, {});
  configure_index("logs-shop-default");
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(shown("sidelight-logs-shop-default", before)));
  ASSERT_EQ(b.next(clock.now())->method, "PUT");
  EXPECT_FALSE(nlohmann::json::parse(b.next(clock.now())->body).contains("data_stream"));
  EXPECT_FALSE(b.on_answer(FakeElasticsearch::error(
      400, "illegal_argument_exception",
      "composable template [x] would cause data streams [x] to no longer match a data stream template")));
  EXPECT_TRUE(b.done());
  EXPECT_TRUE(log.says("documents go on into that data stream until it is deleted")) << log.text;
}

TEST_F(BootstrapTest, WhatFitsIsJudgedByKindAndPatternsAndOnlyOursIsOutdated) {
  const std::string ours = R"(,"_meta":{"managed_by":"sidelight"}})";
  // What engines answer where `{}` was written.
  EXPECT_EQ(
      fit(R"({"index_patterns":["logs-shop-default"],"data_stream":{"timestamp_field":{"name":"@timestamp"}})" +
          ours),
      TemplateFit::fits);
  EXPECT_EQ(fit(index_template(options, {})), TemplateFit::fits);
  EXPECT_EQ(fit(R"({"index_patterns":["a","logs-*-default"],"data_stream":{})" + ours), TemplateFit::fits);
  EXPECT_EQ(fit(R"({"index_patterns":["logs-other-default"],"data_stream":{})" + ours),
            TemplateFit::outdated);
  EXPECT_EQ(fit(R"({"index_patterns":["logs-shop-default"])" + ours), TemplateFit::outdated);
  EXPECT_EQ(fit(R"({"index_patterns":7,"data_stream":null)" + ours), TemplateFit::outdated);
  EXPECT_EQ(fit(R"({"index_patterns":["b"],"data_stream":{}})"), TemplateFit::foreign);
  EXPECT_EQ(fit(R"({"index_patterns":["b"],"_meta":{"managed_by":"x"}})"), TemplateFit::foreign_unfit);
  configure_index("shop-%Y.%m.%d");
  EXPECT_EQ(fit(R"({"index_patterns":["shop-*.*.*"])" + ours), TemplateFit::fits);
  EXPECT_EQ(fit(R"({"index_patterns":["shop-*"])" + ours), TemplateFit::fits);
  EXPECT_EQ(fit(R"({"index_patterns":["shop-*.*.*.*"])" + ours), TemplateFit::outdated);
  EXPECT_EQ(fit(R"({"index_patterns":["shop-*"],"data_stream":{})" + ours), TemplateFit::outdated);
  EXPECT_EQ(fit(R"({"index_patterns":["shop-*"],"data_stream":{}})"), TemplateFit::foreign_unfit);
}

TEST_F(BootstrapTest, AnAnswerThatDoesNotShowTheTemplateIsNoReasonToWriteIt) {
  for (const char* body :
       {R"({"index_templates":[]})",
        R"({"index_templates":[1,{"name":7},{"name":"other","index_template":{"_meta":{}}}]})",
        R"({"index_templates":[{"name":"sidelight-logs-shop-default"}]})",
        R"({"index_templates":[{"name":"sidelight-logs-shop-default","index_template":[]}]})"}) {
    EXPECT_EQ(judge_template(body, options), TemplateFit::fits) << body;
  }
}

// A gateway's page of maintenance, say, with 200.
TEST_F(BootstrapTest, WhatIsNoAnswerToTheQuestionIsAskedAgainOfAnotherHost) {
  for (const char* body : {"", "{", "{}", "[]", "7", "null", "<html>", R"({"index_templates":{}})"}) {
    EXPECT_EQ(judge_template(body, options), TemplateFit::not_told) << body;
    Bootstrap b(options, log, clock);
    const auto expect_trouble = [&](const char* method) {
      const auto trouble = b.on_answer(answer(200, body));
      ASSERT_TRUE(trouble) << body;
      EXPECT_EQ(trouble->verdict.cause, "bad_answer");
      EXPECT_TRUE(trouble->verdict.host_fault);
      EXPECT_EQ(b.next(clock.now())->method, method);
    };
    expect_trouble("GET");
    EXPECT_FALSE(b.on_answer(answer(404)));
    expect_trouble("PUT");
    EXPECT_FALSE(log.says("made the index template")) << log.text;
  }
}

TEST_F(BootstrapTest, ADestinationThatWasAwayIsLookedAtAgain) {
  Bootstrap b(options, log, clock);
  b.look_again();
  EXPECT_FALSE(b.on_answer(answer(200, kNoTemplates)));
  EXPECT_FALSE(b.on_answer(answer(404)));
  ASSERT_TRUE(b.done());
  b.look_again();
  EXPECT_FALSE(b.done());
  EXPECT_FALSE(b.on_answer(answer(404)));
  EXPECT_EQ(b.next(clock.now())->method, "PUT");
  options.create_template = false;
  options.data_stream.clear();
  options.index = "shop";
  Bootstrap nothing_to_see(options, log, clock);
  nothing_to_see.look_again();
  EXPECT_TRUE(nothing_to_see.done());
}

TEST_F(BootstrapTest, AForeignTemplateOfTheOtherKindIsLeftAloneAndTold) {
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(shown("sidelight-logs-shop-default", R"({"index_patterns":["logs-*"]})")));
  EXPECT_EQ(b.next(clock.now())->method, "GET");
  EXPECT_TRUE(log.says("is not Sidelight's")) << log.text;
  EXPECT_TRUE(log.says("Give it a `data_stream`")) << log.text;
  EXPECT_FALSE(b.on_answer(answer(200, R"({"logs-shop-default":{}})")));
  EXPECT_TRUE(b.blocked());
  EXPECT_TRUE(log.says("Before you delete it, see that an index template")) << log.text;
}

TEST_F(BootstrapTest, BesideATemplateThatFitsDeletingThePlainIndexIsEnough) {
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(shown("sidelight-logs-shop-default", index_template(options, {}))));
  EXPECT_FALSE(b.on_answer(answer(200, R"({"logs-shop-default":{}})")));
  EXPECT_TRUE(b.blocked());
  EXPECT_TRUE(log.says("delete that index")) << log.text;
  EXPECT_FALSE(log.says("Before you delete it")) << log.text;
}

TEST_F(BootstrapTest, TriesWhatTheServerKnows) {
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(answer(404)));
  const auto labels = [&] {
    const auto body = nlohmann::json::parse(b.next(clock.now())->body);
    return body["template"]["mappings"]["properties"]["labels"]["type"].get<std::string>();
  };
  const auto message = [&] {
    const auto body = nlohmann::json::parse(b.next(clock.now())->body);
    return body["template"]["mappings"]["properties"]["message"]["type"].get<std::string>();
  };
  EXPECT_EQ(labels(), "flattened");
  EXPECT_FALSE(b.on_answer(FakeElasticsearch::error(
      400, "illegal_argument_exception", "No handler for type [flattened] declared on field [labels]")));
  EXPECT_EQ(labels(), "flat_object");
  EXPECT_EQ(message(), "match_only_text");
  EXPECT_FALSE(b.on_answer(FakeElasticsearch::error(400, "illegal_argument_exception",
                                                    "The mapper type [match_only_text] does not exist")));
  EXPECT_EQ(message(), "text");
  EXPECT_FALSE(b.on_answer(answer(200, kAcknowledged)));
  EXPECT_FALSE(b.on_answer(answer(404)));
  EXPECT_TRUE(b.done());
}

TEST_F(BootstrapTest, ATemplateThatCannotBeMadeKeepsADataStreamFromBeingWritten) {
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(answer(404)));
  EXPECT_TRUE(b.on_answer(FakeElasticsearch::error(400, "illegal_argument_exception", "something new")));
  EXPECT_FALSE(b.done());
}

TEST_F(BootstrapTest, AKeyThatMayOnlyWriteDocumentsIsEnough) {
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(answer(403)));
  EXPECT_FALSE(b.on_answer(answer(403)));
  EXPECT_TRUE(b.done());
}

TEST_F(BootstrapTest, APlainIndexBlocksUntilItIsADataStream) {
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(answer(200, kNoTemplates)));
  EXPECT_FALSE(b.on_answer(answer(200, R"({"logs-shop-default":{}})")));
  EXPECT_TRUE(b.blocked());
  EXPECT_FALSE(b.next(clock.now()));
  clock.advance(std::chrono::seconds(31));
  ASSERT_TRUE(b.next(clock.now()));
  EXPECT_FALSE(b.on_answer(answer(200, R"({".ds-logs-shop-default-000001":{}})")));
  EXPECT_TRUE(b.done());
  EXPECT_FALSE(b.blocked());
}

TEST_F(BootstrapTest, DatedIndicesGetAPattern) {
  options.data_stream.clear();
  options.index = "shop-%Y.%m.%d";
  EXPECT_EQ(template_pattern(options), "shop-*.*.*");
  EXPECT_EQ(template_name(options), "sidelight-shop");
  const auto body = nlohmann::json::parse(index_template(options, {}));
  EXPECT_FALSE(body.contains("data_stream"));
  Bootstrap b(options, log, clock);
  EXPECT_FALSE(b.on_answer(answer(404)));
  EXPECT_FALSE(b.on_answer(answer(200, kAcknowledged)));
  EXPECT_TRUE(b.done());
}

TEST_F(BootstrapTest, ConnectCheckSaysWhatItFound) {
  PosixFileSystem fs;
  const auto check = [&](ScriptedHttpClient::Answer a) {
    ScriptedHttpClient client(clock, std::move(a));
    return probe_elasticsearch(options, fs, client, clock).at(0);
  };
  const auto good = check([](const ScriptedHttpClient::Seen& r) -> HttpResult {
    if (r.url == "http://es:9200/")
      return answer(200, R"({"version":{"distribution":"opensearch","number":"2.19.6"}})");
    return answer(404, R"({"error":{"type":"index_not_found_exception"}})");
  });
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(*good,
            "http://es:9200 is OpenSearch 2.19.6; logs-shop-default will be made with the first document");
  for (const char* version : {R"({"distribution":null,"number":7})", R"({"distribution":5})", "[]", "8"}) {
    EXPECT_TRUE(check([version](const ScriptedHttpClient::Seen& r) -> HttpResult {
      if (r.url == "http://es:9200/") return answer(200, R"({"version":)" + std::string(version) + "}");
      return answer(404, R"({"error":{"type":"index_not_found_exception"}})");
    })) << version;
  }
  const auto odd = check([](const ScriptedHttpClient::Seen& r) -> HttpResult {
    return r.url == "http://es:9200/" ? answer(405) : answer(200, R"({".ds-x-1":{}})");
  });
  ASSERT_TRUE(odd) << odd.error().message;
  const auto plain = check([](const ScriptedHttpClient::Seen& r) -> HttpResult {
    return r.url == "http://es:9200/" ? answer(200) : answer(200, R"({"logs-shop-default":{}})");
  });
  ASSERT_FALSE(plain);
  EXPECT_NE(plain.error().message.find("plain index"), std::string::npos);
  const auto other = check([](const auto&) -> HttpResult { return answer(404, "<html>nginx</html>"); });
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("not as Elasticsearch or OpenSearch does"), std::string::npos);
  const auto refused = check([](const auto&) -> HttpResult { return answer(401); });
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("401"), std::string::npos);
  const auto down = check([](const auto&) -> HttpResult {
    return std::unexpected(TransportError{TransportError::Kind::connect, false, "Connection refused"});
  });
  ASSERT_FALSE(down);
  EXPECT_NE(down.error().message.find("Connection refused"), std::string::npos);
}

TEST_F(BootstrapTest, ConnectCheckAsksEveryHostWhateverTheOthersSay) {
  PosixFileSystem fs;
  options.hosts = {"http://dead:9200", "http://es:9200"};
  ScriptedHttpClient client(clock, [](const ScriptedHttpClient::Seen& r) -> HttpResult {
    if (r.url.starts_with("http://dead"))
      return std::unexpected(TransportError{TransportError::Kind::connect, false, "Connection refused"});
    return r.url == "http://es:9200/" ? answer(200, "{}") : answer(404, R"({"error":{}})");
  });
  const auto found = probe_elasticsearch(options, fs, client, clock);
  ASSERT_EQ(found.size(), 2U);
  ASSERT_FALSE(found[0]);
  EXPECT_NE(found[0].error().message.find("dead"), std::string::npos);
  EXPECT_TRUE(found[1]);
}

}  // namespace
}  // namespace sidelight::test
