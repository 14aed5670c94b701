// Makes the output that the settings name.
#pragma once

#include <memory>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/send/output.h"
#include "config/settings.h"

namespace sidelight {

Expected<std::unique_ptr<Output>> make_output(const OutputSettings& settings, OutputContext context,
                                              FileSystem& fs);

}  // namespace sidelight
