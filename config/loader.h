// Reads a configuration file into Settings, and tells everything that is wrong with it at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/filesystem.h"
#include "config/expand.h"
#include "config/problem.h"
#include "config/settings.h"

namespace sidelight {

struct LoadResult {
  std::optional<Settings> settings;     // set exactly when there are no errors
  std::vector<ConfigProblem> errors;    // in the file's order
  std::vector<ConfigProblem> warnings;  // in the file's order
};

// Never throws but std::bad_alloc. Relative paths in the file are relative to the directory of `file`. Reads
// `file`, and looks at the files that hold secrets and certificates without keeping what is in them. The
// environment serves ${VAR}, the proxy variables (where `proxy` is not set) and the variables of the downward
// API (see REFERENCE.md, "Environment").
LoadResult load_config(FileSystem& files, const std::string& file, const Environment& environment);

// Whether a running program can go from `a` to `b` without a restart. The keys that differ and cannot be
// reloaded are appended to `needs_restart`, as "http.listen". Secrets are compared, not printed.
bool same_except_reloadable(const Settings& a, const Settings& b, std::vector<std::string>& needs_restart);

// A running program keeps its state_dir over a reload: `next` gets that of `running`, and what lies in it
// (the dead letters) with it.
void keep_state_dir(const Settings& running, Settings& next);

// Whether both derive the same metrics from the same logs, read and processed in the same way.
bool same_log_metrics(const Settings& a, const Settings& b);

// Whether the events of every log input of `a` have the same fields in `b`, which may have more inputs: then
// what was counted of them holds there, too, and shows no value that is to be hidden.
bool same_fields(const Settings& a, const Settings& b);

// Whether both watch the same targets in the same way: then collectors, and the rates that they work out, go
// on.
bool same_collectors(const Settings& a, const Settings& b);

}  // namespace sidelight
