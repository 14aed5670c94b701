// Which names does log rotation give to the old contents of a file? Known shapes: app.log.1,
// app.log-20261122, app.log.2026-11-22_03, app-2026-11-22.log, app.1.log, app.log.old, each also with .gz
// behind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sidelight {

// Both without directories. False for equal names.
bool is_rotated_name(std::string_view live, std::string_view name);

// All names that are rotated ones of `live`, and maybe others, begin with it.
std::string_view rotation_prefix(std::string_view live);

// All names that is_rotated_name() can be true for with `name`, and maybe a few more.
std::vector<std::string> possible_originals(std::string_view name);

// The name that all generations of one log share: "app.log" for app.log, app.log.2.gz and app-2026-11-22.log;
// a name without a rotation mark is its own. A bare number before the extension (worker-1.log) is no mark.
std::string family_name(std::string_view name);

// Whether the name is another one than that of its family. Allocates nothing.
bool has_rotation_mark(std::string_view name);

bool is_gzip_name(std::string_view name);

}  // namespace sidelight
