// Secrets from files, and how HTTP carries them.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"

namespace sidelight {

// The file's content without the newlines at its end. The error names the file.
Expected<std::string> read_secret(FileSystem& fs, const std::string& file);

// RFC 4648, section 4, padded.
std::string base64(std::string_view bytes);

}  // namespace sidelight
