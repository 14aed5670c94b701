#include "agent/batch/ecs_writer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <map>
#include <string>

#include "agent/batch/field_writer.h"

namespace sidelight {

EcsWriter::Name EcsWriter::lay_out(std::string_view name) {
  Name n;
  std::string text;
  std::size_t at = 0;
  for (std::size_t dot; (dot = name.find('.', at)) != std::string_view::npos; at = dot + 1) {
    assert(n.depth < kMostParents);
    n.segment_at[n.depth++] = static_cast<std::uint8_t>(text.size());
    text += '"' + std::string(name.substr(at, dot - at)) + "\":{";
  }
  n.segment_at[n.depth] = static_cast<std::uint8_t>(text.size());
  text += '"' + std::string(name.substr(at)) + "\":";
  assert(text.size() <= kRoom);
  text.copy(n.text.data(), text.size());
  n.size = static_cast<std::uint8_t>(text.size());
  return n;
}

EcsWriter::EcsWriter() {
  std::map<std::string_view, std::uint16_t> objects;
  names_.reserve(ecs_count());
  for (std::size_t i = 0; i < ecs_count(); ++i) {
    const std::string_view name = ecs_name(static_cast<EcsOrdinal>(i));
    Name& n = names_.emplace_back(lay_out(name));
    std::size_t end = 0;
    for (std::size_t p = 0; p < n.depth; ++p) {
      end = name.find('.', end) + 1;
      const auto next = static_cast<std::uint16_t>(objects.size() + 1);
      n.parents[p] = objects.emplace(name.substr(0, end), next).first->second;
    }
  }
}

char* EcsWriter::put(char* out, std::span<const EcsRef> fields, std::size_t inside) const {
  if (fields.empty()) return out;
  const Name* open = nullptr;
  for (const EcsRef& ref : fields) {
    const Name& name = names_[ref.ordinal];
    std::size_t common = inside;
    if (open != nullptr) {
      const std::size_t most = std::min(open->depth, name.depth);
      while (common < most && open->parents[common] == name.parents[common]) ++common;
      for (std::size_t n = open->depth; n > common; --n) *out++ = '}';
    }
    *out++ = ',';
    const std::size_t from = name.segment_at[common];
    std::memcpy(out, name.text.data() + from, kRoom);
    out = put_value(out + (name.size - from), ref.field->value, ref.field->kind);
    open = &name;
  }
  for (std::size_t n = open->depth; n > inside; --n) *out++ = '}';
  return out;
}

}  // namespace sidelight
