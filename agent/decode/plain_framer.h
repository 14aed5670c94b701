// One line, one event.
#pragma once

#include <memory>

#include "agent/decode/framer.h"

namespace sidelight {

// `options` has neither a container format nor multiline, and is checked.
std::unique_ptr<Framer> make_plain_framer(const DecodeOptions& options);

}  // namespace sidelight
