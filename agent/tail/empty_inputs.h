// Tells which inputs' globs match no file (a misspelt path looks like an application that is silent), or
// files that another input reads.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/tail/discovery.h"
#include "agent/tail/options.h"
#include "agent/tail/tail_probe.h"

namespace sidelight {

// One thread. What it is given outlives it.
class EmptyInputs {
 public:
  // A sidecar starts before its application writes: until then it is no more than a note.
  static constexpr std::chrono::minutes kPatience{10};

  EmptyInputs(const std::vector<TailOptions>& inputs, TailProbe& probe, Logger& log)
      : inputs_(inputs), probe_(probe), log_(log), told_(inputs.size()) {}

  // What a scan of all globs found.
  void look(const std::vector<FoundFile>& found, const std::vector<Overlap>& overlaps, MonoTime now);

 private:
  enum class Told : std::uint8_t { nothing, some, none, still_none };
  struct Input {
    Told told = Told::nothing;
    MonoTime empty_since{};
  };
  void count(std::uint32_t input, std::uint64_t files, MonoTime now);

  const std::vector<TailOptions>& inputs_;
  TailProbe& probe_;
  Logger& log_;
  std::vector<Input> told_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> overlaps_told_;
};

}  // namespace sidelight
