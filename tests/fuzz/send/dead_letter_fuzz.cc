// A line of a dead letter may be damaged or edited by hand: whatever it is, what is read out of it stands in
// it, and is what a JSON parser finds under those keys.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/send/elasticsearch/dead_letter_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  const std::string_view line = whole.substr(0, whole.find('\n'));
  static_cast<void>(sidelight::dead_letter_id(line));
  const auto letter = sidelight::read_dead_letter(line);
  if (!letter) return 0;
  if (!line.contains(letter->action) || !line.contains(letter->document)) std::abort();
  const auto all = nlohmann::json::parse(line, nullptr, false);
  // The keys of a letter are written without escapes; another spelling of the same key is none of ours.
  if (line.contains('\\')) return 0;
  if (all["id"] != letter->id) std::abort();
  if (all["action"] != nlohmann::json::parse(letter->action, nullptr, false)) std::abort();
  if (all["document"] != nlohmann::json::parse(letter->document, nullptr, false)) std::abort();
  return 0;
}
