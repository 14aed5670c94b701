#include "agent/batch/label_writer.h"

#include <simdjson.h>

#include <algorithm>
#include <string>
#include <unordered_set>

#include "agent/base/json_text.h"

namespace sidelight {
namespace {

bool is_ascii(std::string_view s) {
  std::uint64_t any = 0;
  std::size_t i = 0;
  for (std::uint64_t eight; i + sizeof eight <= s.size(); i += sizeof eight) {
    std::memcpy(&eight, s.data() + i, sizeof eight);
    any |= eight;
  }
  for (; i < s.size(); ++i) any |= static_cast<unsigned char>(s[i]);
  return (any & 0x8080'8080'8080'8080u) == 0;
}

bool well_formed(std::string_view s) {
  return is_ascii(s) || simdjson::validate_utf8(s.data(), s.size());
}

char* put_label(char* out, const Field& f) {
  *out++ = '"';
  if (f.plain_key) {
    out = put(out, f.key);
  } else {
    out += escape_json(out, f.key);
  }
  out = put(out, "\":");
  out = put_value(out, f.value, f.kind);
  *out++ = ',';
  return out;
}

bool brings(std::span<const Field> labels, std::string_view key) {
  return std::any_of(labels.begin(), labels.end(), [&](const Field& f) { return f.key == key; });
}

char* put_constant(char* out, const ConstantLabel& c) {
  out = put(out, c.literal);
  *out++ = ':';
  out = put(out, c.value);
  *out++ = ',';
  return out;
}

// Keys that repair could make equal, or strays that could equal a label: every key written is remembered.
// Rare, so allocation is fine.
char* put_ambiguous(char* out, std::span<const Field> labels, std::span<const Field* const> strays,
                    const PreparedTemplate& tmpl) {
  std::unordered_set<std::string> taken;
  std::vector<const Field*> later;
  for (const Field& f : labels) {
    if (!well_formed(f.key)) {
      later.push_back(&f);
    } else if (taken.insert(std::string(f.key)).second) {
      out = put_label(out, f);
    }
  }
  for (const ConstantLabel& c : tmpl.labels) {
    if (taken.insert(c.key).second) out = put_constant(out, c);
  }
  later.insert(later.end(), strays.begin(), strays.end());
  for (const Field* f : later) {
    const std::string repaired = repair_utf8(f->key);
    std::string key = repaired;
    for (std::size_t i = 2; !taken.insert(key).second; ++i) key = repaired + '#' + std::to_string(i);
    out = put_label(out, {key, f->value, f->kind});
  }
  return out;
}

}  // namespace

char* put_labels(char* out, std::span<const Field> labels, std::span<const Field* const> strays,
                 const PreparedTemplate& tmpl) {
  if (labels.empty() && strays.empty() && tmpl.labels.empty()) return out;
  out = put(out, ",\"labels\":{");
  const bool clear = strays.empty() && std::all_of(labels.begin(), labels.end(), [](const Field& f) {
                       return f.plain_key || well_formed(f.key);
                     });
  if (!clear) [[unlikely]] {
    out = put_ambiguous(out, labels, strays, tmpl);
  } else {
    for (const Field& f : labels) out = put_label(out, f);
    for (const ConstantLabel& c : tmpl.labels) {
      if (!brings(labels, c.key)) out = put_constant(out, c);
    }
  }
  out[-1] = '}';  // a label ends in a comma, and there is one
  return out;
}

}  // namespace sidelight
