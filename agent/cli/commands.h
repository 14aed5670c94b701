// The subcommands. Each returns the process's exit status: 0 good, 1 it failed, 2 the configuration is bad.
#pragma once

#include <string>

namespace sidelight {

int run_command(const std::string& config_file);
int check_command(const std::string& config_file, bool connect, bool print);
int schema_command(const std::string& what);
int replay_command(const std::string& config_file);

}  // namespace sidelight
