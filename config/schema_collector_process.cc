#include "collectors/process/options.h"
#include "config/schema_collectors.h"

namespace sidelight {

std::shared_ptr<const ObjectSchema> process_schema() {
  using P = ProcessOptions;
  SchemaBuilder<P> s(
      "The pod that this instance runs beside: CPU, memory, throttling, pressure, processes. `{}` switches "
      "it on.");
  s.field(
       "cgroup", KeyType::path, [](P& o) -> auto& { return o.cgroup; },
       "Directory of the pod's cgroup v2, where it is not the one that this process is in.")
      .default_note("found by /proc/self")
      .example("/host/cgroup/kubepods.slice");
  s.field(
       "interval", KeyType::duration, [](P& o) -> auto& { return o.target.interval; },
       "Time between two runs, give or take 5 %.")
      .between(1000, 3'600'000);
  s.field(
       "timeout", KeyType::duration, [](P& o) -> auto& { return o.target.timeout; },
       "A run that takes longer has failed.")
      .between(100, 300'000);
  return s.done();
}

}  // namespace sidelight
