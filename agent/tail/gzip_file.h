// A gzip'd file (RFC 1952, any number of members) seen as the plain file that it was.
#pragma once

#include <memory>
#include <string>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"

namespace sidelight {

// Reads the whole stream once to learn the plain size and that it is sound; an unfinished or damaged stream
// is an error. stat() gives the archive's identity with the plain size. Reads are cheap going forward; going
// back starts over.
Expected<std::unique_ptr<File>> open_gzip(FileSystem& fs, const std::string& path);

}  // namespace sidelight
