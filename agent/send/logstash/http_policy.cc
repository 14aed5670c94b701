#include "agent/send/logstash/http_policy.h"

#include "agent/send/logstash/sender.h"

namespace sidelight {

namespace cause = logstash_cause;
using Action = HttpVerdict::Action;

HttpVerdict judge_http_answer(long status) {
  if (status >= 200 && status < 300) return {Action::delivered, {}, {}, false, false};
  switch (status) {
    case 401:
    case 403:
      return {Action::hold, cause::kUnauthorized, "unavailable", false, true};
    case 413:
      return {Action::split, cause::kTooLarge, "rejected", false, false};
    case 429:
      return {Action::hold, cause::kOverloaded, "rejected", false, false};
    case 408:
    case 504:
      return {Action::hold, cause::kTimeout, "timeout", true, false};
    default:
      // Below 500 something that answers HTTP but is no Logstash input, mostly: another host may be one.
      return {Action::hold, status >= 500 ? cause::kUnavailable : cause::kBadAnswer, "unavailable", true,
              false};
  }
}

HttpVerdict judge_http_failure(const TransportError& error) {
  using Kind = TransportError::Kind;
  const auto host = [](std::string_view cause, std::string_view reason) {
    return HttpVerdict{Action::hold, cause, reason, true, false};
  };
  switch (error.kind) {
    case Kind::resolve:
      return host(cause::kResolve, "connection");
    case Kind::connect:
      return host(cause::kConnect, "connection");
    case Kind::tls:
      return host(cause::kTls, "connection");
    case Kind::timeout:
      return host(cause::kTimeout, "timeout");
    case Kind::too_large:
      return host(cause::kBadAnswer, "unavailable");
    case Kind::reset:
    case Kind::other:
      return host(cause::kConnectionLost, "connection");
  }
  return host(cause::kConnectionLost, "connection");
}

}  // namespace sidelight
