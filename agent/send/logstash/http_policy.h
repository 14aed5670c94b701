// What an answer of Logstash's http input means. A pure function; the table is the policy.
#pragma once

#include <string_view>

#include "agent/base/http_client.h"

namespace sidelight {

struct HttpVerdict {
  enum class Action {
    delivered,
    split,  // too large: halves. A single document waits and its neighbours go on
    hold,   // back off and send the same again
  };
  Action action = Action::hold;
  std::string_view cause;       // as in logstash_cause
  std::string_view retried_as;  // SendProbe::retried's reason
  bool host_fault = false;      // another host may do better
  bool renew_credentials = false;
};

// Nothing is ever given up: Logstash does not judge documents, so a refusal is the destination's affair.
HttpVerdict judge_http_answer(long status);
HttpVerdict judge_http_failure(const TransportError& error);

}  // namespace sidelight
