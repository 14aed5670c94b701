// What nginx's variables and HTTP request lines are in ECS.
#pragma once

#include <string_view>

#include "agent/base/arena.h"
#include "agent/parse/record_builder.h"

namespace sidelight {

// "GET /a?b=c HTTP/1.1" as method, url and version; anything else as a label `request`.
void put_request_line(RecordBuilder& builder, std::string_view request);

// Puts the value of an nginx variable (name without '$'); a variable that ECS does not know becomes a label.
// "-" and "" mean that there is none, and are left out. `value` is raw text of the line.
void put_nginx_variable(RecordBuilder& builder, std::string_view name, std::string_view value, Arena& arena);

}  // namespace sidelight
