// Which outputs an event goes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/process/condition.h"

namespace sidelight {

// A set of outlets, by index.
using OutletSet = std::uint32_t;
inline constexpr std::size_t kMostOutlets = 16;

struct Route {
  Condition when;
  std::size_t outlet = 0;
  bool copy = false;  // the event goes on to the routes behind
};

// The routes of one log input. The first one that fits decides, but for copies; an event that none decides on
// goes to `otherwise`.
struct Routing {
  std::vector<Route> routes;
  std::size_t otherwise = 0;

  OutletSet choose(const Record& record, const EventContext& context) const {
    OutletSet chosen = 0;
    for (const Route& r : routes) {
      if (!r.when.holds(record, context)) continue;
      chosen |= OutletSet{1} << r.outlet;
      if (!r.copy) return chosen;
    }
    return chosen | OutletSet{1} << otherwise;
  }
  // All that an event may go to.
  OutletSet all() const {
    OutletSet set = 0;
    bool open = true;  // an event may get this far
    for (const Route& r : routes) {
      if (!open) break;
      set |= OutletSet{1} << r.outlet;
      open = r.copy || !r.when.always();
    }
    return open ? set | OutletSet{1} << otherwise : set;
  }
};

}  // namespace sidelight
