// The subcommands. Each returns the process's exit status: 0 good, 1 it failed, 2 the configuration is bad.
// (A wrong command line is 2 as well.)
#pragma once

#include <string>

namespace sidelight {

int run_command(const std::string& config_file);
int check_command(const std::string& config_file, bool connect, bool print);
int schema_command(const std::string& what);
// `output` names one of several outputs; empty: the only one that can have dead letters.
int replay_command(const std::string& config_file, const std::string& output);
// Lines from the standard input, shown as they would be shipped; `input` names the log input, empty: the
// first.
int try_command(const std::string& config_file, const std::string& input);

}  // namespace sidelight
