// What an outcome means: delivered, again, or never. Pure functions, no state; the tables are the policy.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/http_client.h"
#include "agent/send/elasticsearch/bulk_response.h"

namespace sidelight {

// The names under which a destination's troubles show in sidelight_output_up's `cause` and in the log. A
// fixed set.
namespace cause {
inline constexpr std::string_view kResolve = "resolve";
inline constexpr std::string_view kConnect = "connect";
inline constexpr std::string_view kTls = "tls";
inline constexpr std::string_view kTimeout = "timeout";
inline constexpr std::string_view kConnectionLost = "connection_lost";
inline constexpr std::string_view kUnauthorized = "unauthorized";
inline constexpr std::string_view kForbidden = "forbidden";
inline constexpr std::string_view kNotFound = "not_found";
inline constexpr std::string_view kIndexClosed = "index_closed";
inline constexpr std::string_view kClusterBlock = "cluster_block";
inline constexpr std::string_view kMissingPipeline = "missing_pipeline";
inline constexpr std::string_view kFieldLimit = "field_limit";
inline constexpr std::string_view kIndexMapping = "index_mapping";
inline constexpr std::string_view kOverloaded = "overloaded";
inline constexpr std::string_view kUnavailable = "unavailable";
inline constexpr std::string_view kBadAnswer = "bad_answer";
inline constexpr std::string_view kBadRequest = "bad_request";
inline constexpr std::string_view kUnknownError = "unknown_error";
inline constexpr std::string_view kNotADataStream = "not_a_data_stream";
inline constexpr std::string_view kCredentials = "credentials";
inline constexpr std::string_view kDeadLettersFull = "dead_letters_full";
inline constexpr std::string_view kState = "state_unwritable";
}  // namespace cause

// One item of a bulk answer.
struct ItemVerdict {
  enum class Action {
    delivered,
    already_there,  // 409: delivered before
    retry,          // overload: this document alone, with back-off
    hold,           // the destination's fault: retried for ever, the output is down for `cause`
    dead_letter,    // the document's own fault
  };
  Action action = Action::delivered;
  std::string_view cause;   // hold
  std::string_view reason;  // dead_letter: mapping | parsing | too_large
};
// `type` and `reason` are those of the item's error, `causes` what stands behind it (see BulkItemError).
ItemVerdict judge_item(int status, std::string_view type, std::string_view reason, std::string_view causes);

// A request as a whole.
struct RequestVerdict {
  enum class Action {
    read_items,
    split,   // 413: halves; a single document is too large
    bisect,  // 400: some document, or every one, makes the request unacceptable
    hold,    // back off and send the same again
  };
  Action action = Action::hold;
  std::string_view cause;
  std::string_view retried_as;    // SendProbe::retried's reason
  bool overload = false;          // send less at a time
  bool host_fault = false;        // another host may do better
  bool may_have_arrived = false;  // documents of it may be stored: a later 409 is expected
  bool renew_credentials = false;
};
// `type` and `reason`: of the answer's error, where it has one.
RequestVerdict judge_answer(long status, std::string_view type, std::string_view reason);
RequestVerdict judge_transport(const TransportError& error);

// How long the destination asks to be left alone, if it does; `wall` is now.
std::optional<std::chrono::seconds> retry_after_of(const HttpResponse& answer, WallNanos wall);
// "HTTP 503 unavailable_shards_exception: ..." of an answer that is an error as a whole.
std::string describe(const HttpResponse& answer, const ErrorAnswer& error);

}  // namespace sidelight
