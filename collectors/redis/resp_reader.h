// Replies of a Redis server: RESP2 (https://redis.io/docs/reference/protocol-spec), read by hiredis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

struct RespValue {
  enum class Type { nil, text, error, integer, array };
  Type type = Type::nil;
  std::string text;  // of a simple or bulk string, or an error
  std::int64_t integer = 0;
  std::vector<RespValue> items;
};

// Puts replies together from pieces, and refuses those that are larger than a collector has use for: their
// memory is bounded by kMaxBytes and kMaxItems whatever the other side says its sizes are. One thread.
class RespReader {
 public:
  static constexpr std::size_t kMaxBytes = 1 << 20;  // of one reply, as sent
  static constexpr std::size_t kMaxItems = 10'000;   // of all arrays of one reply

  RespReader();
  ~RespReader();
  RespReader(const RespReader&) = delete;
  RespReader& operator=(const RespReader&) = delete;

  // The next reply, once all of it has come. After an error nothing more can be read.
  Expected<std::optional<RespValue>> next(std::string_view more_bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sidelight
