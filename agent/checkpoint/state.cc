#include "agent/checkpoint/state.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace sidelight {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kKeyLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Percent-encoding of everything that is not printable ASCII: file names and log bytes need not be UTF-8.
std::string armour(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b >= 0x20 && b < 0x7f && c != '%') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[b >> 4]);
      out.push_back(kHex[b & 15u]);
    }
  }
  return out;
}

bool unarmour(const std::string& text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const auto hi = kHex.find(text[i + 1]);
    const auto lo = kHex.find(text[i + 2]);
    if (hi == std::string_view::npos || lo == std::string_view::npos) return false;
    out.push_back(static_cast<char>(hi << 4 | lo));
    i += 2;
  }
  return true;
}

// Only a number that T holds as it is.
template <class T>
bool integer(const Json& j, T& out) {
  if (j.is_number_unsigned()) {
    const auto n = j.get<std::uint64_t>();
    out = static_cast<T>(n);
    return std::in_range<T>(n);
  }
  if (!j.is_number_integer()) return false;
  const auto n = j.get<std::int64_t>();
  out = static_cast<T>(n);
  return std::in_range<T>(n);
}

template <class T>
bool get(const Json& j, const char* name, T& out) {
  const auto it = j.find(name);
  if (it == j.end()) return true;  // absent: the default
  if constexpr (std::is_same_v<T, std::string>) {
    return it->is_string() && unarmour(it->get_ref<const std::string&>(), out);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!it->is_boolean()) return false;
    out = it->get<bool>();
    return true;
  } else {
    return integer(*it, out);
  }
}

bool is_key(std::string_view key) {
  return key.size() == 22 && key.find_first_not_of(kKeyLetters) == std::string_view::npos;
}

bool get_cuts(const Json& j, std::vector<std::uint64_t>& out) {
  const auto it = j.find("cuts");
  if (it == j.end()) return true;
  if (!it->is_array()) return false;
  for (const auto& c : *it)
    if (!integer(c, out.emplace_back())) return false;
  return true;
}

bool get_times(const Json& j, std::vector<TimeMark>& out) {
  const auto it = j.find("times");
  if (it == j.end()) return true;
  if (!it->is_array()) return false;
  for (const auto& m : *it) {
    if (!m.is_array() || m.size() != 2) return false;
    TimeMark& mark = out.emplace_back();
    if (!integer(m[0], mark.offset) || !integer(m[1], mark.time_ns)) return false;
  }
  return true;
}

}  // namespace

std::string encode_state(const CheckpointState& s) {
  Json j{{"key", s.key},        {"path", armour(s.path)}, {"dev", s.dev},           {"inode", s.inode},
         {"birth", s.birth_ns}, {"size", s.size},         {"head_len", s.head_len}, {"head", s.head_hash},
         {"lane0", s.lane[0]},  {"lane1", s.lane[1]},     {"tail_len", s.tail_len}, {"tail", s.tail_hash}};
  if (s.real != s.path) j["real"] = armour(s.real);
  if (s.frame_state != 0) j["frame_state"] = s.frame_state;
  if (!s.cuts.empty()) j["cuts"] = s.cuts;
  if (!s.time_marks.empty()) {
    auto& marks = j["times"] = Json::array();
    for (const auto& m : s.time_marks) marks.push_back({m.offset, m.time_ns});
  }
  if (!s.carry.empty()) j["carry"] = armour(s.carry);
  if (!s.carry_from.empty()) j["carry_from"] = armour(s.carry_from);
  if (!s.processors.empty()) j["processors"] = armour(s.processors);
  if (s.finished) j["finished"] = true;
  if (s.behind_since_ns != 0) j["behind_since"] = s.behind_since_ns;
  if (s.absent_since_ns != 0) j["absent_since"] = s.absent_since_ns;
  return j.dump();
}

bool decode_state(std::string_view json, CheckpointState& out) {
  return state_from_json(Json::parse(json, nullptr, false), out);
}

std::string encode_globs(const std::set<std::string>& globs) {
  Json j = Json::array();
  for (const auto& glob : globs) j.push_back(armour(glob));
  return j.dump();
}

bool globs_from_json(const Json& j, std::set<std::string>& out) {
  if (!j.is_array()) return false;
  out.clear();
  for (const auto& element : j) {
    std::string glob;
    if (!element.is_string() || !unarmour(element.get_ref<const std::string&>(), glob)) return false;
    out.insert(std::move(glob));
  }
  return true;
}

bool state_from_json(const Json& j, CheckpointState& out) {
  if (!j.is_object()) return false;
  CheckpointState s;
  if (!get(j, "key", s.key) || !is_key(s.key)) return false;
  if (!get(j, "path", s.path) || s.path.empty()) return false;
  s.real = s.path;
  const bool good = get(j, "real", s.real) && get(j, "dev", s.dev) && get(j, "inode", s.inode) &&
                    get(j, "birth", s.birth_ns) && get(j, "size", s.size) && get(j, "head_len", s.head_len) &&
                    get(j, "head", s.head_hash) && get(j, "lane0", s.lane[0]) && get(j, "lane1", s.lane[1]) &&
                    get(j, "frame_state", s.frame_state) && get(j, "tail_len", s.tail_len) &&
                    get(j, "tail", s.tail_hash) && get_cuts(j, s.cuts) && get_times(j, s.time_marks) &&
                    get(j, "carry", s.carry) && get(j, "carry_from", s.carry_from) &&
                    get(j, "processors", s.processors) && get(j, "finished", s.finished) &&
                    get(j, "behind_since", s.behind_since_ns) && get(j, "absent_since", s.absent_since_ns);
  if (good) out = std::move(s);
  return good;
}

}  // namespace sidelight
