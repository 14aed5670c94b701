#include "agent/decode/framer.h"

#include "agent/decode/framer_base.h"
#include "agent/decode/join_rules.h"
#include "agent/decode/joining_framer.h"
#include "agent/decode/plain_framer.h"

namespace sidelight {

Expected<std::unique_ptr<Framer>> make_framer(const DecodeOptions& options) {
  if (options.max_event_bytes < kLeastEventBytes) {
    return fail("max_event_bytes must be at least " + std::to_string(kLeastEventBytes));
  }
  const bool plain =
      options.container == ContainerFormat::none && options.multiline.preset == MultilinePreset::none;
  if (plain) return make_plain_framer(options);
  if (options.container != ContainerFormat::none && is_wide(options.encoding)) {
    return fail("container logs are never UTF-16: the encoding does not go with a container format");
  }
  if (options.multiline.max_lines == 0) return fail("multiline: max_lines must be at least 1");
  auto rules = make_join_rules(options.multiline);
  if (!rules) return std::unexpected(rules.error());
  return make_joining_framer(options, *std::move(rules));
}

}  // namespace sidelight
