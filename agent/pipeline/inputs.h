// What the settings say of log inputs, made ready to work.
#pragma once

#include <vector>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/pipeline/worker.h"
#include "config/settings.h"

namespace sidelight {

// One for each of settings.logs, in order; routes refer to settings.all_outputs() by place. Fails for what a
// check of the configuration cannot see (a key file that is gone), naming the input.
Expected<std::vector<WorkerInput>> make_inputs(const Settings& settings, FileSystem& fs);

}  // namespace sidelight
