// Expected failures are values: every fallible call of the project returns Expected<T>.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <utility>

namespace sidelight {

// What went wrong, in words for the person who reads the log. `code` is an errno value where an OS call
// failed, else 0.
struct Error {
  std::string message;
  int code = 0;
};

template <class T>
using Expected = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string message, int code = 0) {
  return std::unexpected<Error>(Error{std::move(message), code});
}

}  // namespace sidelight
