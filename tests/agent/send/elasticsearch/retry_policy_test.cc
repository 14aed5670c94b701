#include "agent/send/elasticsearch/retry_policy.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

using ItemAction = ItemVerdict::Action;
using RequestAction = RequestVerdict::Action;

struct ItemRow {
  int status;
  const char* type;
  const char* reason;
  ItemAction action;
  const char* detail;  // cause or dead letter reason
  const char* causes = "";
};

TEST(RetryPolicyTest, JudgesItems) {
  const ItemRow rows[] = {
      {201, "", "", ItemAction::delivered, ""},
      {200, "", "", ItemAction::delivered, ""},
      {409, "version_conflict_engine_exception", "exists", ItemAction::already_there, ""},
      {429, "es_rejected_execution_exception", "queue", ItemAction::retry, ""},
      {503, "unavailable_shards_exception", "", ItemAction::retry, ""},
      {500, "", "", ItemAction::retry, ""},
      {400, "mapper_parsing_exception", "failed to parse field", ItemAction::dead_letter, "mapping"},
      {400, "document_parsing_exception", "[1:2] failed", ItemAction::dead_letter, "mapping"},
      {400, "strict_dynamic_mapping_exception", "", ItemAction::dead_letter, "mapping"},
      {400, "illegal_argument_exception", "Document contains at least one immense term in field",
       ItemAction::dead_letter, "too_large"},
      {400, "illegal_argument_exception", "data stream timestamp field [@timestamp] is missing",
       ItemAction::dead_letter, "mapping"},
      {400, "illegal_argument_exception", "Limit of mapping depth [20] has been exceeded",
       ItemAction::dead_letter, "mapping"},
      {400, "max_bytes_length_exceeded_exception", "", ItemAction::dead_letter, "too_large"},
      {400, "x_content_parse_exception", "", ItemAction::dead_letter, "parsing"},
      {400, "mapper_parsing_exception",
       "Failed to parse mapping: No handler for type [flattened] declared on field [labels]",
       ItemAction::hold, "index_mapping"},
      {400, "illegal_argument_exception", "pipeline with id [p] does not exist", ItemAction::hold,
       "missing_pipeline"},
      {400, "illegal_argument_exception", "Limit of total fields [1000] has been exceeded", ItemAction::hold,
       "field_limit"},
      {400, "document_parsing_exception",
       "[1:12] failed to parse: Limit of total fields [2000] has been exceeded while adding new fields [1]",
       ItemAction::hold, "field_limit",
       "illegal_argument_exception: Limit of total fields [2000] has been exceeded while adding new fields "
       "[1]"},
      {400, "document_parsing_exception", "[1:12] failed to parse field [n] of type [long]",
       ItemAction::dead_letter, "mapping", "illegal_argument_exception: For input string: \"x\""},
      {400, "illegal_argument_exception",
       "the document timestamp [x] is outside of ranges of currently writable indices",
       ItemAction::dead_letter, "mapping"},
      {500, "exception", "x", ItemAction::hold, "missing_pipeline",
       "illegal_argument_exception: pipeline with id [p] does not exist"},
      {400, "index_closed_exception", "closed", ItemAction::hold, "index_closed"},
      {403, "cluster_block_exception", "index [x] blocked by: read-only", ItemAction::hold, "cluster_block"},
      {429, "cluster_block_exception", "disk usage exceeded flood-stage watermark", ItemAction::hold,
       "cluster_block"},
      {404, "index_not_found_exception", "no such index [x]", ItemAction::hold, "not_found"},
      {401, "", "", ItemAction::hold, "unauthorized"},
      {403, "", "", ItemAction::hold, "forbidden"},
      {400, "some_new_exception", "never seen", ItemAction::hold, "unknown_error"},
      {400, "illegal_argument_exception", "never seen", ItemAction::hold, "unknown_error"},
      {418, "", "", ItemAction::hold, "unknown_error"},
  };
  for (const ItemRow& r : rows) {
    const ItemVerdict v = judge_item(r.status, r.type, r.reason, r.causes);
    EXPECT_EQ(v.action, r.action) << r.status << " " << r.type << " " << r.reason;
    EXPECT_EQ(v.action == ItemAction::hold ? v.cause : v.reason, r.detail)
        << r.status << " " << r.type << " " << r.reason;
  }
}

TEST(RetryPolicyTest, WhatADocumentSaysDoesNotMakeItTheDestinationsFault) {
  constexpr const char* kHostile =
      "failed to parse field [n]. Preview of field's value: 'pipeline with id [x], no such index, Limit of "
      "total "
      "fields; caused by illegal_argument_exception: Limit of total fields'";
  EXPECT_EQ(judge_item(400, "document_parsing_exception", kHostile, "").action, ItemAction::dead_letter);
  EXPECT_EQ(
      judge_item(400, "document_parsing_exception", "r", "number_format_exception: " + std::string(kHostile))
          .action,
      ItemAction::dead_letter);
}

TEST(RetryPolicyTest, JudgesWholeAnswers) {
  struct Row {
    long status;
    const char* type;
    RequestAction action;
    const char* cause;
    bool overload, host_fault, may_have_arrived, renew;
  };
  const Row rows[] = {
      {200, "", RequestAction::read_items, "", false, false, false, false},
      {400, "json_parse_exception", RequestAction::bisect, "bad_request", false, false, false, false},
      {400, "index_closed_exception", RequestAction::hold, "index_closed", false, false, false, false},
      {401, "security_exception", RequestAction::hold, "unauthorized", false, false, false, true},
      {403, "security_exception", RequestAction::hold, "forbidden", false, false, false, true},
      {401, "", RequestAction::hold, "unauthorized", false, false, false, true},
      {403, "", RequestAction::hold, "forbidden", false, false, false, true},
      {404, "index_not_found_exception", RequestAction::hold, "not_found", false, false, false, false},
      {413, "", RequestAction::split, "", false, false, false, false},
      {429, "", RequestAction::hold, "overloaded", true, false, false, false},
      {500, "", RequestAction::hold, "unavailable", false, true, true, false},
      {502, "", RequestAction::hold, "unavailable", false, true, true, false},
      {503, "", RequestAction::hold, "unavailable", true, true, true, false},
      {504, "", RequestAction::hold, "timeout", true, true, true, false},
      {302, "", RequestAction::hold, "unknown_error", false, false, false, false},
  };
  for (const Row& r : rows) {
    const RequestVerdict v = judge_answer(r.status, r.type, "");
    EXPECT_EQ(v.action, r.action) << r.status;
    if (r.action == RequestAction::hold) {
      EXPECT_EQ(v.cause, r.cause) << r.status;
    }
    EXPECT_EQ(v.overload, r.overload) << r.status;
    EXPECT_EQ(v.host_fault, r.host_fault) << r.status;
    EXPECT_EQ(v.may_have_arrived, r.may_have_arrived) << r.status;
    EXPECT_EQ(v.renew_credentials, r.renew) << r.status;
  }
}

TEST(RetryPolicyTest, JudgesTransportErrors) {
  using Kind = TransportError::Kind;
  EXPECT_EQ(judge_transport({Kind::resolve, false, ""}).cause, "resolve");
  EXPECT_EQ(judge_transport({Kind::connect, false, ""}).cause, "connect");
  EXPECT_EQ(judge_transport({Kind::tls, false, ""}).cause, "tls");
  const auto timeout = judge_transport({Kind::timeout, true, ""});
  EXPECT_EQ(timeout.retried_as, "timeout");
  EXPECT_TRUE(timeout.may_have_arrived);
  EXPECT_FALSE(judge_transport({Kind::connect, false, ""}).may_have_arrived);
  EXPECT_TRUE(judge_transport({Kind::reset, true, ""}).may_have_arrived);
}

}  // namespace
}  // namespace sidelight
