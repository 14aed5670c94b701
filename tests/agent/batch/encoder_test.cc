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

}  // namespace
}  // namespace sidelight
