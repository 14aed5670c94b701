// What the checkpoint keeps of one generation of one file.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sidelight {

// From `offset` on, events without a time of their own bear `time_ns`. Kept so that a replay gives them the
// same @timestamp.
struct TimeMark {
  std::uint64_t offset = 0;
  std::int64_t time_ns = 0;
  bool operator==(const TimeMark&) const = default;
};

struct CheckpointState {
  std::string key;   // 22 characters of base64url; never changes
  std::string path;  // any bytes
  std::string real;  // any bytes
  std::uint64_t dev = 0;
  std::uint64_t inode = 0;
  std::int64_t birth_ns = 0;
  std::uint64_t size = 0;
  std::uint32_t head_len = 0;
  std::uint64_t head_hash = 0;
  // Settled: everything of lane i before lane[i]; in what state framing goes on there
  // (FramePosition::pack_state).
  std::array<std::uint64_t, 2> lane{};
  std::uint64_t frame_state = 0;
  std::uint32_t tail_len = 0;  // of the bytes before the lower of the lanes
  std::uint64_t tail_hash = 0;
  std::vector<std::uint64_t> cuts;   // forced event ends at or behind the lower lane, ascending
  std::vector<TimeMark> time_marks;  // ascending; the first may lie before the lower lane
  std::string carry;                 // bytes of the generation before that belong to this one's first events
  std::string carry_from;            // "KEY-OFFSET" of those bytes
  std::string processors;            // what the processors remember at that place; their own format
  bool finished = false;
  std::int64_t behind_since_ns = 0;  // since when some byte behind the lower lane is there; 0: none is known
  std::int64_t absent_since_ns = 0;  // a start found no place where the file could be; 0: it was found
  bool operator==(const CheckpointState&) const = default;
};

// One JSON object on one line; decode(encode(s)) == s. decode fails on anything else, never throws.
std::string encode_state(const CheckpointState& state);
bool decode_state(std::string_view json, CheckpointState& out);
bool state_from_json(const nlohmann::json& json, CheckpointState& out);

// Globs (any bytes) as a JSON array on one line, and back.
std::string encode_globs(const std::set<std::string>& globs);
bool globs_from_json(const nlohmann::json& json, std::set<std::string>& out);

}  // namespace sidelight
