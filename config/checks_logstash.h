// What of the Logstash output's settings cannot be said of one key alone.
#pragma once

#include "agent/send/logstash/options.h"

namespace sidelight {

class Findings;

// `proxy: off` becomes no proxy. `path` is where the section stands, as "output.logstash".
void check_logstash(const std::string& path, LogstashOptions& options, Findings& findings);

}  // namespace sidelight
