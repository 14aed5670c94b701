// Events of several lines: container pieces, multiline, or both.
#pragma once

#include <memory>

#include "agent/decode/framer.h"
#include "agent/decode/join_rules.h"

namespace sidelight {

// `options` is checked; `rules` are those of options.multiline, null without multiline.
std::unique_ptr<Framer> make_joining_framer(const DecodeOptions& options, std::unique_ptr<JoinRules> rules);

}  // namespace sidelight
