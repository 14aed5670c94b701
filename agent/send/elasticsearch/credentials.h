// The Authorization header, from the configuration or from files that are read again when they change.
#pragma once

#include <string>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/send/elasticsearch/options.h"

namespace sidelight {

// One thread. The secret is never part of an Error.
class Credentials {
 public:
  Credentials(const ElasticsearchOptions& options, FileSystem& fs, const Clock& clock);
  // Basic authentication alone; `password_file` wins over `password`. No credentials without a name.
  Credentials(const std::string& username, const std::string& password, const std::string& password_file,
              FileSystem& fs, const Clock& clock);
  // The header's value, "" where there are no credentials. A file is looked at once a second at most. While a
  // known file cannot be read, the last value that was read stays in use; the error is for a file that never
  // could be.
  Expected<std::string> header();
  // The destination refused them: the file is read again at the next header(), whatever its time says.
  void renew() { stale_ = true; }

 private:
  enum class Scheme { none, basic, api_key, bearer };
  std::string format(const std::string& secret) const;

  Scheme scheme_ = Scheme::none;
  std::string username_;
  std::string file_;
  FileSystem& fs_;
  const Clock& clock_;
  std::string value_;
  bool known_ = false;
  bool stale_ = true;
  std::int64_t mtime_ns_ = -1;
  std::uint64_t inode_ = 0;
  MonoTime looked_{};
};

}  // namespace sidelight
