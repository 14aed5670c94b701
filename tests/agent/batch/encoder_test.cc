#include "agent/batch/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sidelight {
namespace {

constexpr std::int64_t kTime = 1795377662'123'000'000;  // 2026-11-22T20:01:02.123Z

struct Fixture {
  explicit Fixture(EncoderOptions options = {}, DocConstants constants = {.path = "/var/log/shop.log",
                                                                          .service = "shop",
                                                                          .fields = {},
                                                                          .labels = {}})
      : encoder(make_encoder(options)), tmpl(encoder->prepare(constants)) {
    source =
        std::make_shared<Source>(Source{.input = 0, .path = constants.path, .key = "AAAAAAAAAAAAAAAAAAAAAA"});
    batch.spans.push_back({.ledger_span = 7, .source = source, .pending = 0});
    record.event = &event;
    event.begin = 255;
    event.end = 300;
  }
  std::string append() {
    encoder->append(record, *tmpl, *source, kTime, 0, batch);
    return batch.body.substr(batch.docs.back().body_begin);
  }
  std::unique_ptr<Encoder> encoder;
  std::unique_ptr<DocTemplate> tmpl;
  std::shared_ptr<Source> source;
  Event event;
  Record record;
  Batch batch;
};

TEST(Encoder, WritesARawLineAsOneEcsDocument) {
  Fixture f({.shape = BulkShape::fixed_target, .with_ids = true, .index_pattern = {}});
  f.event.text = "said \"hi\"";
  f.record.message = f.event.text;
  f.record.level = "error";
  EXPECT_EQ(f.append(),
            "{\"create\":{\"_id\":\"AAAAAAAAAAAAAAAAAAAAAA-ff-12c\"}}\n"
            "{\"@timestamp\":\"2026-11-22T20:01:02.123Z\",\"log\":{\"level\":\"error\",\"offset\":255,"
            "\"file\":{\"path\":\"/var/log/shop.log\"}},\"message\":\"said \\\"hi\\\"\","
            "\"service\":{\"name\":\"shop\"},\"ecs\":{\"version\":\"8.11.0\"}}\n");
  EXPECT_EQ(f.batch.spans[0].pending, 1u);
  EXPECT_EQ(f.batch.docs[0].raw, f.event.text);
  EXPECT_TRUE(f.batch.doc_source(f.batch.docs[0]).starts_with("{\"@timestamp\""));
}

using Json = nlohmann::json;
using ::testing::HasSubstr;

TEST(Encoder, MergesConstantsWithWhatTheRecordBringsAndTheRecordWins) {
  Fixture f({}, {.path = "/a.log",
                 .service = "shop",
                 .fields = {{"host.name", "node"},
                            {"http.version", "1.0"},
                            {"log.logger", "configured"},
                            {"event.dataset", "shop.log"},
                            {"my-own.field", "x"}},
                 .labels = {{"team", "mes"}, {"tier", "1"}}});
  f.event.from_container = true;
  f.event.lane = 1;
  f.event.truncated = true;
  f.record.message = "\"ready\\n\"";
  f.record.message_kind = ValueKind::json;
  f.record.ecs = {{"http.request.method", "GET", ValueKind::text},
                  {"log.logger", "Cart", ValueKind::text},
                  {"error.message", "own", ValueKind::text},
                  {"event.action", "add", ValueKind::text},
                  {"http.response.status_code", "200", ValueKind::json},
                  {"service.name", "crm", ValueKind::text}};
  f.record.labels = {{"team", "crm", ValueKind::text}, {"n", "1e400", ValueKind::text}};
  f.record.parse_error = "no JSON";
  f.record.time_unread = f.event.not_wrapped = true;
  EXPECT_EQ(Json::parse(f.append()), Json::parse(R"({"@timestamp":"2026-11-22T20:01:02.123Z",
    "log":{"offset":255,"file":{"path":"/a.log"},"flags":["truncated","parsing_error","timestamp_error","container_error"],"logger":"Cart"},
    "message":"ready\n","stream":"stderr",
    "event":{"id":"AAAAAAAAAAAAAAAAAAAAAA-ff-12c","action":"add","dataset":"shop.log"},
    "error":{"message":"own"},"host":{"name":"node"},
    "http":{"version":"1.0","request":{"method":"GET"},"response":{"status_code":200}},
    "my-own":{"field":"x"},"service":{"name":"crm"},
    "labels":{"team":"crm","n":"1e400","tier":"1"},"ecs":{"version":"8.11.0"}})"));
}

TEST(Encoder, LeavesOutAMessageThatTheLineDoesNotHave) {
  Fixture f;
  f.record.labels = {{"n", "1", ValueKind::json}};
  EXPECT_FALSE(Json::parse(f.append()).contains("message"));
  f.record.message = "\"\"";  // said, and empty
  f.record.message_kind = ValueKind::json;
  EXPECT_EQ(Json::parse(f.append())["message"], "");
}

TEST(Encoder, PutsConstantsThatWouldCollideUnderLabels) {
  Fixture f({}, {.path = "/a.log",
                 .fields = {{"message", "m"},
                            {"http", "h"},
                            {"host.name.x", "y"},
                            {"a", "1"},
                            {"a.b", "2"},
                            {"bad name\"", "3"},
                            {"labels.z", "4"}}});
  f.record.message = "x";
  const Json doc = Json::parse(f.append());
  EXPECT_EQ(
      doc["labels"],
      Json::parse(R"({"message":"m","http":"h","host.name.x":"y","a.b":"2","bad name\"":"3","z":"4"})"));
  EXPECT_EQ(doc["a"], "1");
}

TEST(Encoder, NamesTheIndexAfterTheEventsDate) {
  Fixture f({.shape = BulkShape::dated_index, .index_pattern = "shop-%Y.%m.%d-%H%%"});
  f.record.message = "x";
  f.record.timestamp_ns = -1;  // one nanosecond before 1970
  EXPECT_THAT(f.append(), HasSubstr(R"({"create":{"_index":"shop-1969.12.31-23%%","_id":"AAAA)"));
  f.record.timestamp_ns.reset();
  EXPECT_THAT(f.append(), HasSubstr(R"({"create":{"_index":"shop-2026.11.22-20%%","_id":)"));
}

TEST(Encoder, LeavesIdsToTheDestinationWhenAsked) {
  Fixture bulk({.shape = BulkShape::fixed_target, .with_ids = false});
  bulk.record.message = "x";
  EXPECT_THAT(bulk.append(), ::testing::StartsWith("{\"create\":{}}\n"));
  Fixture dated({.shape = BulkShape::dated_index, .with_ids = false, .index_pattern = "i"});
  dated.record.message = "x";
  EXPECT_THAT(dated.append(), ::testing::StartsWith("{\"create\":{\"_index\":\"i\"}}\n"));
}

TEST(Encoder, FillsTheDocumentsPlaceInTheBatch) {
  Fixture f({.shape = BulkShape::fixed_target});
  f.event.text = "raw text";
  f.record.message = "x";
  f.append();
  f.append();
  ASSERT_EQ(f.batch.docs.size(), 2u);
  EXPECT_EQ(f.batch.spans[0].pending, 2u);
  EXPECT_EQ(f.batch.docs[1].body_begin, f.batch.docs[0].body_end);
  EXPECT_EQ(f.batch.docs[1].body_end, f.batch.body.size());
  EXPECT_EQ(f.batch.docs[1].begin, 255u);
  EXPECT_EQ(f.batch.docs[1].end, 300u);
  EXPECT_EQ(f.batch.docs[1].raw, "raw text");
  EXPECT_TRUE(Json::accept(f.batch.doc_source(f.batch.docs[1])));
}

TEST(DocId, IsUniquePerRange) {
  char a[64];
  const auto id = [&](std::uint64_t b, std::uint64_t e) {
    return std::string(a, write_doc_id(a, "KEY", b, e));
  };
  EXPECT_EQ(id(0, 0), "KEY-0-0");
  EXPECT_EQ(id(0x1, 0x23), "KEY-1-23");
  EXPECT_EQ(id(0x12, 0x3), "KEY-12-3");
  EXPECT_EQ(id(0xfedcba9876543210, UINT64_MAX), "KEY-fedcba9876543210-ffffffffffffffff");
}

TEST(DocId, IsTheSameWhetherItsBeginningIsTheEndBeforeOrNot) {
  OffsetMemory memory;
  std::uint64_t end = 0;
  for (const std::uint64_t next :
       {0x0ull, 0xFull, 0x10ull, 0x12345678ull, 0xFFFFFFFFull, 0x100000000ull, 0x1234567890ull, 0x7ull}) {
    for (const std::uint64_t begin : {end, std::uint64_t{0xABC}}) {
      char with[64];
      char without[64];
      const std::string_view remembered(with, write_doc_id(with, "KEY", begin, next, memory));
      EXPECT_EQ(remembered, std::string_view(without, write_doc_id(without, "KEY", begin, next)));
    }
    end = next;
  }
}

}  // namespace
}  // namespace sidelight
