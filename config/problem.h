// What is wrong with a configuration, where, and how to put it right.
#pragma once

#include <string>
#include <vector>

namespace sidelight {

struct ConfigProblem {
  std::string file;      // as the caller named it
  int line = 0;          // from 1; 0: the problem is the file itself
  int column = 0;        // from 1, in bytes
  std::string key_path;  // "logs[0].format"; empty: not about one key
  std::string message;   // never holds the value of a secret or of an environment variable
};

// "file:line:column: key.path: message", without the parts that are empty. One line, whatever the parts hold.
std::string render_problem(const ConfigProblem& problem);

// For a terminal: every problem on a line of its own, errors first, then a line with the numbers of both.
std::string render_problems(const std::vector<ConfigProblem>& errors,
                            const std::vector<ConfigProblem>& warnings);

}  // namespace sidelight
