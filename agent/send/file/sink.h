// Where lines go: a file, or standard output.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/error.h"

namespace sidelight {

// One thread.
class Sink {
 public:
  virtual ~Sink() = default;
  // Makes it ready to be written, or does nothing when it is.
  virtual Expected<void> open() = 0;
  // Appends whole lines and makes them durable. After an error none of them counts as written; the caller
  // tries the same bytes again, and they are then there once: torn parts are taken back or gone on from.
  virtual Expected<void> write(std::string_view lines) = 0;
  // How many of `bytes` more bytes should go into the present file; at least 1 when it is empty.
  virtual std::uint64_t room() const = 0;
  // Begins the next file.
  virtual Expected<void> rotate() = 0;
};

}  // namespace sidelight
