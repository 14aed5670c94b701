// The file output (NDJSON, rotated by size) and the standard output one: delivered means written and synced.
#pragma once

#include <memory>

#include "agent/base/filesystem.h"
#include "agent/send/file/options.h"
#include "agent/send/output.h"

namespace sidelight {

// An empty path is standard output. `fs` outlives the output.
std::unique_ptr<Output> make_file_output(FileOutputOptions options, OutputContext context, FileSystem& fs);

}  // namespace sidelight
