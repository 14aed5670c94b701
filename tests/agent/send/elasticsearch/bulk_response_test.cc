#include "agent/send/elasticsearch/bulk_response.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

class BulkResponseTest : public ::testing::Test {
 protected:
  bool read(std::string body, std::size_t expected) {
    const auto result = reader_.read(body, expected, answer_);
    if (!result) why_ = result.error().message;
    return result.has_value();
  }
  BulkResponseReader reader_;
  BulkAnswer answer_;
  std::string why_;
};

TEST_F(BulkResponseTest, ReadsEveryItemsStatus) {
  ASSERT_TRUE(read(
      R"({"took":3,"errors":false,"items":[{"create":{"_index":".ds-x-000001","_id":"a","status":201}},{"index":{"status":200}}]})",
      2))
      << why_;
  EXPECT_EQ(answer_.status, (std::vector<std::uint16_t>{201, 200}));
  EXPECT_TRUE(answer_.all_created);
  EXPECT_EQ(answer_.stored_in, ".ds-x-000001");
  EXPECT_TRUE(answer_.errors.empty());
}

TEST_F(BulkResponseTest, OnlyAStoredItemTellsTheIndex) {
  // Items that are refused before they are routed (missing pipeline, blocked index) name the data stream.
  ASSERT_TRUE(
      read(R"({"items":[{"create":{"_index":"logs-a-b","status":400,"error":{"type":"t","reason":"r"}}},)"
           R"({"create":{"_index":"logs-a-b","status":403}}]})",
           2));
  EXPECT_EQ(answer_.stored_in, "");
  ASSERT_TRUE(read(R"({"items":[{"create":{"_index":"logs-a-b","status":400}},)"
                   R"({"create":{"_index":".ds-logs-a-b-2026.11.22-000001","status":409}},)"
                   R"({"create":{"_index":"other","status":201}}]})",
                   3));
  EXPECT_EQ(answer_.stored_in, ".ds-logs-a-b-2026.11.22-000001");
}

// The usual answer is compared, any other one is read: a changed byte must not be overlooked.
TEST_F(BulkResponseTest, UsualAnswerIsTheSameComparedAndRead) {
  for (const std::size_t items : {1u, 2u, 3u, 40u}) {
    std::string usual = R"({"errors":false,"items":[)";
    for (std::size_t i = 0; i < items; ++i)
      usual += i == 0 ? R"({"create":{"status":201}})" : R"(,{"create":{"status":201}})";
    usual += "]}";
    ASSERT_TRUE(read(usual, items)) << why_;
    EXPECT_EQ(answer_.status, std::vector<std::uint16_t>(items, 201));
    EXPECT_TRUE(answer_.all_created);
    EXPECT_FALSE(read(usual, items + 1));
    EXPECT_FALSE(read(usual, items - 1));
    for (std::size_t at = 0; at < usual.size(); ++at) {
      for (const char c : {'0', '4', 'x', '"', ',', ' '}) {
        std::string changed = usual;
        changed[at] = c;
        const bool fine = read(changed, items);
        const BulkAnswer compared = answer_;
        ASSERT_EQ(read(" " + changed, items), fine) << changed;  // a blank in front: never compared
        if (!fine) continue;
        EXPECT_EQ(answer_.status, compared.status) << changed;
        EXPECT_EQ(answer_.all_created, compared.all_created) << changed;
      }
    }
  }
}

TEST_F(BulkResponseTest, DoesNotTrustTheErrorsFlag) {
  ASSERT_TRUE(read(R"({"errors":false,"items":[{"create":{"status":201}},{"create":{"status":429}}]})", 2));
  EXPECT_FALSE(answer_.all_created);
  ASSERT_TRUE(read(R"({"errors":true,"items":[{"create":{"status":201}}]})", 1));
  EXPECT_TRUE(answer_.all_created);
}

TEST_F(BulkResponseTest, ErrorsCarryTypeReasonAndCauses) {
  ASSERT_TRUE(read(
      R"({"items":[{"create":{"status":201}},{"create":{"status":400,"error":{"type":"document_parsing_exception",)"
      R"("reason":"failed \"x\"","caused_by":{"type":"illegal_argument_exception","reason":"inner",)"
      R"("caused_by":{"type":"t","reason":"innermost"}}}}}],"errors":true})",
      2))
      << why_;
  EXPECT_EQ(answer_.error_of(0), nullptr);
  const BulkItemError* e = answer_.error_of(1);
  ASSERT_NE(e, nullptr);
  EXPECT_EQ(e->type, "document_parsing_exception");
  EXPECT_EQ(e->reason, "failed \"x\"");
  EXPECT_EQ(e->causes, "illegal_argument_exception: inner; caused by t: innermost");
  EXPECT_EQ(e->full_reason(),
            "failed \"x\"; caused by illegal_argument_exception: inner; caused by t: innermost");
}

TEST_F(BulkResponseTest, RefusesWhatIsNoBulkAnswer) {
  for (const char* body : {"",
                           " ",
                           "null",
                           "[]",
                           "{}",
                           "<html></html>",
                           R"({"items":{}})",
                           R"({"items":null})",
                           R"({"items":[1]})",
                           R"({"items":[{}]})",
                           R"({"items":[{"create":{}}]})",
                           R"({"items":[{"create":{"status":"201"}}]})",
                           R"({"items":[{"create":{"status":-1}}]})",
                           R"({"items":[{"create":{"status":99999}}]})",
                           R"({"items":[{"create":{"status":201}})",
                           R"({"items":[{"create":{"status":201}}])",
                           R"({"items":[{"create":{"status":201}}]} x)",
                           R"({"items":[{"create":{"status":201}}]}{})",
                           R"({"items":[{"create":{"status":201}},])",
                           R"({"items":[{"create":{"stat)"}) {
    EXPECT_FALSE(read(body, 1)) << body;
  }
}

TEST_F(BulkResponseTest, RefusesAWrongNumberOfItems) {
  const std::string one = R"({"create":{"status":201}})";
  EXPECT_FALSE(read(R"({"items":[]})", 1));
  EXPECT_FALSE(read(R"({"items":[)" + one + "]}", 2));
  EXPECT_FALSE(read(R"({"items":[)" + one + "," + one + "]}", 1));
  EXPECT_TRUE(read(R"({"items":[)" + one + "]}", 1));
}

TEST_F(BulkResponseTest, EveryTruncationOfAnAnswerIsRefused) {
  const std::string body =
      R"({"errors":true,"items":[{"create":{"_index":"i","status":201}},{"create":{"status":400,"error":{"type":"t","reason":"r"}}}]})";
  ASSERT_TRUE(read(body, 2));
  for (std::size_t n = 0; n < body.size(); ++n) EXPECT_FALSE(read(body.substr(0, n), 2)) << n;
}

TEST_F(BulkResponseTest, LongReasonsAreCut) {
  ASSERT_TRUE(read(R"({"items":[{"create":{"status":400,"error":{"type":"t","reason":")" +
                       std::string(100000, 'r') + R"("}}}]})",
                   1));
  EXPECT_EQ(answer_.errors[0].reason.size(), 2048u);
  ASSERT_TRUE(read(
      R"({"items":[{"create":{"status":400,"error":{"type":"t","reason":"r","caused_by":{"type":"u","reason":")" +
          std::string(100000, 'r') + R"("}}}}]})",
      1));
  EXPECT_EQ(answer_.errors[0].causes.size(), 2048u);
}

TEST(ErrorAnswerTest, ReadsTheErrorOrQuotesTheBody) {
  const auto e = read_error_answer(
      R"({"error":{"type":"a","reason":"b","caused_by":{"type":"c","reason":"d"}},"status":400})");
  EXPECT_EQ(e.type, "a");
  EXPECT_EQ(e.reason, "b; caused by c: d");
  EXPECT_EQ(read_error_answer(R"({"error":"plain"})").reason, "plain");
  EXPECT_EQ(read_error_answer("<html>\nBad gateway").reason, "<html> Bad gateway");
  EXPECT_EQ(read_error_answer("").reason, "");
}

}  // namespace
}  // namespace sidelight
