#include "collectors/http_json/json_pointer.h"

#include <algorithm>
#include <utility>

namespace sidelight {
namespace {

Expected<std::string> unescape(std::string_view segment) {
  std::string out;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '~') {
      out += segment[i];
      continue;
    }
    ++i;
    if (i == segment.size() || (segment[i] != '0' && segment[i] != '1'))
      return fail("in a JSON pointer ~ is written ~0 and / within a name ~1");
    out += segment[i] == '0' ? '~' : '/';
  }
  return out;
}

}  // namespace

std::size_t JsonPointer::each() const {
  return static_cast<std::size_t>(
      std::count_if(segments.begin(), segments.end(), [](const Segment& s) { return s.each; }));
}

Expected<JsonPointer> parse_json_pointer(std::string_view text) {
  JsonPointer out;
  if (!text.empty() && text.front() != '/') return fail("a JSON pointer begins with /, as in /workers/busy");
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::size_t end = std::min(text.find('/'), text.size());
    auto name = unescape(text.substr(0, end));
    if (!name) return std::unexpected(name.error());
    const bool each = *name == "*";
    out.segments.push_back({std::move(*name), each});
    text.remove_prefix(end);
  }
  if (out.each() > JsonPointer::kMaxEach)
    return fail("at most " + std::to_string(JsonPointer::kMaxEach) + " segments may be *");
  return out;
}

Expected<JsonLabelSource> parse_label_source(std::string_view text, std::size_t each) {
  JsonLabelSource out;
  if (text.starts_with("key")) {
    const std::string_view rest = text.substr(3);
    if (rest.empty()) out.key = each;
    if (rest.size() == 1 && rest[0] >= '1' && rest[0] <= '9')
      out.key = static_cast<std::size_t>(rest[0] - '0');
    if (out.key == 0 || out.key > each)
      return fail("\"" + std::string(text) + "\" names no * of the metric's pointer");
    return out;
  }
  auto pointer = parse_json_pointer(text);
  if (!pointer) return fail(pointer.error().message + "; or write key, for the name that * stands for");
  if (pointer->each() > 0) return fail("the pointer of a label has no *");
  out.pointer = std::move(*pointer);
  return out;
}

std::string check_json_pointer(const std::string& text) {
  const auto pointer = parse_json_pointer(text);
  return pointer ? std::string() : pointer.error().message;
}

}  // namespace sidelight
