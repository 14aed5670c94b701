// What the HTTP server tells about itself.
#pragma once

#include <cstdint>

namespace sidelight {

// Thread-safe.
class HttpProbe {
 public:
  virtual ~HttpProbe() = default;
  virtual void answered(int status) = 0;
  virtual void connections(std::uint64_t open) = 0;
  virtual void connection_evicted() = 0;  // closed to make room for a new one
};

class NullHttpProbe final : public HttpProbe {
 public:
  void answered(int) override {}
  void connections(std::uint64_t) override {}
  void connection_evicted() override {}
};

}  // namespace sidelight
