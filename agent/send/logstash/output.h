// The Logstash output: a LogstashSender on a thread of its own.
#pragma once

#include <memory>

#include "agent/base/filesystem.h"
#include "agent/send/logstash/options.h"
#include "agent/send/output.h"

namespace sidelight {

// `fs` outlives it. No connection is made before the first batch.
std::unique_ptr<Output> make_logstash_output(LogstashOptions options, OutputContext context, FileSystem& fs);

}  // namespace sidelight
