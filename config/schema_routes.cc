#include "config/schema_builder.h"
#include "config/schema_processors.h"
#include "config/settings.h"

namespace sidelight {

std::shared_ptr<const ObjectSchema> route_schema() {
  static const auto schema = [] {
    SchemaBuilder<RouteOptions> s(
        "Which of `outputs` an event goes to. An input's own routes come first, then those of the whole "
        "configuration; "
        "the first one whose condition holds decides. What none decides on goes to the input's `output`, or "
        "to the "
        "first of `outputs`.");
    s.object("when", [](RouteOptions& r) -> auto& { return r.when; }, condition_schema());
    s.field(
         "output", KeyType::text, [](RouteOptions& r) -> auto& { return r.output; },
         "The name of the output.")
        .required()
        .example("audit");
    s.field(
        "copy", KeyType::boolean, [](RouteOptions& r) -> auto& { return r.copy; },
        "The event goes there, and the routes behind are asked too.");
    return s.done();
  }();
  return schema;
}

}  // namespace sidelight
