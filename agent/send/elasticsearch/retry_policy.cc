#include "agent/send/elasticsearch/retry_policy.h"

#include <algorithm>
#include <array>

#include "agent/send/elasticsearch/backoff.h"

namespace sidelight {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct Phrase {
  std::string_view text;
  std::string_view meaning;
};

// What the destination is to blame for, whatever the status. Looked for in the error's type and reason; first
// match wins.
constexpr auto kDestination = std::to_array<Phrase>({
    {"index_closed_exception", cause::kIndexClosed},
    {"cluster_block_exception", cause::kClusterBlock},
    {"index_not_found_exception", cause::kNotFound},
    {"no such index", cause::kNotFound},
    {"pipeline with id", cause::kMissingPipeline},
    {"pipeline does not exist", cause::kMissingPipeline},
    {"Limit of total fields", cause::kFieldLimit},
    {"security_exception", cause::kForbidden},
});

// Error types that only the document itself can cause.
constexpr auto kDocumentTypes = std::to_array<Phrase>({
    {"mapper_parsing_exception", "mapping"},
    {"document_parsing_exception", "mapping"},
    {"strict_dynamic_mapping_exception", "mapping"},
    {"mapper_exception", "mapping"},
    {"max_bytes_length_exceeded_exception", "too_large"},
    {"parse_exception", "parsing"},
    {"parsing_exception", "parsing"},
    {"x_content_parse_exception", "parsing"},
    {"json_parse_exception", "parsing"},
    {"not_x_content_exception", "parsing"},
    {"date_time_parse_exception", "parsing"},
});

// What a document can cause under types that also mean other things (illegal_argument_exception above all).
constexpr auto kDocumentReasons = std::to_array<Phrase>({
    {"immense term", "too_large"},
    {"max_bytes_length_exceeded", "too_large"},
    {"bytes can be at most 32766", "too_large"},
    {"data stream timestamp field", "mapping"},
    {"timestamp meta field", "mapping"},
    {"Limit of mapping depth", "mapping"},
    {"Limit of field name length", "mapping"},
    {"nested documents has exceeded", "mapping"},
    {"field name cannot", "mapping"},
    {"name cannot be empty string", "mapping"},
    {"cannot be changed from type", "mapping"},
    {"can't merge a non object mapping", "mapping"},
    {"object mapping", "mapping"},
    {"id is too long", "too_large"},
    {"is outside of ranges of currently writable indices", "mapping"},  // a time series data stream
    // Processors of an ingest pipeline that this document does not suit.
    {"Provided Grok expressions do not match", "parsing"},
    {"not present as part of path", "parsing"},
    {"unable to convert", "parsing"},
    {"unable to parse date", "parsing"},
    {"Unable to find match for dissect pattern", "parsing"},
});

template <std::size_t N>
std::string_view meaning_in(const std::array<Phrase, N>& table, std::string_view text) {
  const auto it =
      std::find_if(table.begin(), table.end(), [text](const Phrase& p) { return has(text, p.text); });
  return it == table.end() ? std::string_view() : it->meaning;
}

bool is_document_type(std::string_view type) {
  return std::any_of(kDocumentTypes.begin(), kDocumentTypes.end(),
                     [type](const Phrase& p) { return p.text == type; });
}

// The reason of an error of a document quotes that document, which may say anything; only the beginning of
// its cause is the server's own words. (Elasticsearch 8 wraps the field limit in a
// document_parsing_exception.)
std::string_view destination_cause(std::string_view type, std::string_view reason, std::string_view causes) {
  if (is_document_type(type)) {
    // Of the index that would be made for it, from a template that is broken or wants a plugin that is not
    // there.
    if (reason.starts_with("Failed to parse mapping")) return cause::kIndexMapping;
    const bool limit = causes.starts_with("illegal_argument_exception: Limit of total fields");
    return limit ? cause::kFieldLimit : std::string_view();
  }
  for (const std::string_view text : {type, reason, causes}) {
    if (const auto meaning = meaning_in(kDestination, text); !meaning.empty()) return meaning;
  }
  return {};
}

std::string_view document_reason(std::string_view type, std::string_view reason, std::string_view causes) {
  const auto it = std::find_if(kDocumentTypes.begin(), kDocumentTypes.end(),
                               [type](const Phrase& p) { return p.text == type; });
  if (it != kDocumentTypes.end()) return it->meaning;
  const auto by_reason = meaning_in(kDocumentReasons, reason);
  return by_reason.empty() ? meaning_in(kDocumentReasons, causes) : by_reason;
}

std::string_view cause_of_status(long status) {
  switch (status) {
    case 401:
      return cause::kUnauthorized;
    case 403:
      return cause::kForbidden;
    case 404:
      return cause::kNotFound;
    case 429:
      return cause::kOverloaded;
    default:
      return status >= 500 ? cause::kUnavailable : cause::kUnknownError;
  }
}

}  // namespace

ItemVerdict judge_item(int status, std::string_view type, std::string_view reason, std::string_view causes) {
  using Action = ItemVerdict::Action;
  if (status >= 200 && status < 300) return {Action::delivered, {}, {}};
  if (status == 409) return {Action::already_there, {}, {}};
  if (const auto blamed = destination_cause(type, reason, causes); !blamed.empty())
    return {Action::hold, blamed, {}};
  if (status == 413) return {Action::dead_letter, {}, "too_large"};
  if (status == 400 || status >= 500) {
    const auto why = document_reason(type, reason, causes);
    // A pipeline's failure on one document comes as 500 from some versions; other 5xx are the servers'
    // troubles.
    if (!why.empty() && (status == 400 || status == 500)) return {Action::dead_letter, {}, why};
  }
  if (status == 429 || status >= 500) return {Action::retry, {}, {}};
  return {Action::hold, cause_of_status(status), {}};
}

RequestVerdict judge_answer(long status, std::string_view type, std::string_view reason) {
  RequestVerdict v;
  v.retried_as = "unavailable";
  if (status >= 200 && status < 300) {
    v.action = RequestVerdict::Action::read_items;
    return v;
  }
  v.cause = cause_of_status(status);
  const auto blamed = destination_cause(type, reason, {});
  if (!blamed.empty()) {
    if (status != 401) v.cause = blamed;  // a security_exception says both: who are you, and you may not
    v.renew_credentials = status == 401 || status == 403;
    return v;
  }
  switch (status) {
    case 400:
      v.action = RequestVerdict::Action::bisect;
      v.cause = cause::kBadRequest;
      break;
    case 413:
      v.action = RequestVerdict::Action::split;
      break;
    case 401:
    case 403:
      v.renew_credentials = true;
      break;
    case 429:
      v.overload = true;
      v.retried_as = "rejected";
      break;
    case 408:
    case 504:
      v.cause = cause::kTimeout;
      v.retried_as = "timeout";
      v.overload = v.host_fault = v.may_have_arrived = true;
      break;
    default:
      if (status >= 500) {
        v.host_fault = v.may_have_arrived = true;
        v.overload = status == 503;
      }
      break;
  }
  return v;
}

RequestVerdict judge_transport(const TransportError& error) {
  using Kind = TransportError::Kind;
  RequestVerdict v;
  v.host_fault = true;
  v.may_have_arrived = error.request_may_have_arrived;
  v.retried_as = "connection";
  switch (error.kind) {
    case Kind::resolve:
      v.cause = cause::kResolve;
      break;
    case Kind::connect:
      v.cause = cause::kConnect;
      break;
    case Kind::tls:
      v.cause = cause::kTls;
      break;
    case Kind::timeout:
      v.cause = cause::kTimeout;
      v.retried_as = "timeout";
      v.overload = error.request_may_have_arrived;
      break;
    case Kind::too_large:
      v.cause = cause::kBadAnswer;
      break;
    case Kind::reset:
    case Kind::other:
      v.cause = cause::kConnectionLost;
      break;
  }
  return v;
}

std::optional<std::chrono::seconds> retry_after_of(const HttpResponse& answer, WallNanos wall) {
  const auto value = answer.header("retry-after");
  return value.empty() ? std::nullopt : parse_retry_after(value, wall);
}

std::string describe(const HttpResponse& answer, const ErrorAnswer& error) {
  std::string text = "HTTP " + std::to_string(answer.status);
  if (!error.type.empty()) text += " " + error.type;
  if (!error.reason.empty()) text += ": " + error.reason;
  return text;
}

}  // namespace sidelight
