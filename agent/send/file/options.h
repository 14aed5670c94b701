// Settings of the file and stdout outputs.
#pragma once

#include <cstddef>
#include <string>

namespace sidelight {

struct FileOutputOptions {
  std::string path;                    // empty: stdout
  std::size_t max_bytes = 100u << 20;  // rotate to path.1, path.2 ... beyond this size
  std::size_t keep = 5;                // rotated files kept
};

}  // namespace sidelight
