// `sidelight check --connect`: does each host answer, and would it take our documents?
#pragma once

#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/http_client.h"
#include "agent/base/stream_client.h"
#include "agent/send/logstash/options.h"

namespace sidelight {

// Asks every host, sends no document. For each host a sentence about what was found, or an Error whose
// message says what is wrong and what to do; one Error alone when there is nothing to ask with.
std::vector<Expected<std::string>> probe_logstash(const LogstashOptions& options, FileSystem& fs,
                                                  HttpClient& http, StreamClient& streams,
                                                  const Clock& clock);

}  // namespace sidelight
