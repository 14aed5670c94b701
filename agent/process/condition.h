// Which events something applies to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/error.h"
#include "agent/process/event_context.h"
#include "agent/process/options.h"

namespace sidelight {

// Immutable; one thread at a time (regular expressions are thread-safe, the arena of the context is not).
class Condition {
 public:
  // Fails for an unknown level or a bad pattern; the message names it.
  static Expected<Condition> make(const ConditionOptions& options);
  Condition();
  ~Condition();
  Condition(Condition&&) noexcept;
  Condition& operator=(Condition&&) noexcept;

  bool holds(const Record& record, const EventContext& context) const;
  bool always() const { return tests_ == nullptr; }

 private:
  struct Tests;
  std::unique_ptr<const Tests> tests_;
};

}  // namespace sidelight
