// `sidelight check --connect`: does the destination answer, and would it take our documents?
#pragma once

#include <string>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/http_client.h"
#include "agent/send/elasticsearch/options.h"

namespace sidelight {

// Asks every host, changes nothing. A sentence about what was found, or an Error whose message says what is
// wrong and what to do.
Expected<std::string> probe_elasticsearch(const ElasticsearchOptions& options, FileSystem& fs,
                                          HttpClient& client, const Clock& clock);

}  // namespace sidelight
