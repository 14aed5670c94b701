// Tells which inputs' globs match no file: a misspelt path looks like an application that is silent.
#pragma once

#include <cstdint>
#include <optional>
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
      : inputs_(inputs), probe_(probe), log_(log), told_(inputs.size(), Told::nothing) {}

  // What a scan of all globs found.
  void look(const std::vector<FoundFile>& found, MonoTime now);

 private:
  enum class Told : std::uint8_t { nothing, none_yet, still_none };

  const std::vector<TailOptions>& inputs_;
  TailProbe& probe_;
  Logger& log_;
  std::vector<Told> told_;
  std::optional<MonoTime> first_look_;
};

}  // namespace sidelight
