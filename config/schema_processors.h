// The schema of processors and of the conditions that they and routes have.
#pragma once

#include <memory>

#include "config/schema.h"

namespace sidelight {

// For std::vector<ProcessorOptions>: one of its items. The same object each time.
std::shared_ptr<const ObjectSchema> processor_schema();
// For RouteOptions. The same object each time.
std::shared_ptr<const ObjectSchema> route_schema();
// For ConditionOptions. The same object each time.
std::shared_ptr<const ObjectSchema> condition_schema();

}  // namespace sidelight
