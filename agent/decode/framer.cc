#include "agent/decode/framer.h"

#include "agent/decode/plain_framer.h"

namespace sidelight {

Expected<std::unique_ptr<Framer>> make_framer(const DecodeOptions& options) {
  if (options.max_event_bytes < kLeastEventBytes) {
    return fail("max_event_bytes must be at least " + std::to_string(kLeastEventBytes));
  }
  const bool plain =
      options.container == ContainerFormat::none && options.multiline.preset == MultilinePreset::none;
  if (plain) return make_plain_framer(options);
  return fail("joining lines is not part of this build");
}

}  // namespace sidelight
