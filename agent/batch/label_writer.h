// Writes what ECS does not know, under "labels".
#pragma once

#include <span>
#include <vector>

#include "agent/batch/doc_template.h"
#include "agent/parse/record.h"

namespace sidelight {

// More than what a label costs beside its key and value, the suffix of an ambiguous key included.
inline constexpr std::size_t kLabelSlack = 32;

// Writes ,"labels":{...} with the record's labels, the strays and the template's (which yield to the
// record's), or nothing where there are none. No key appears twice, not even when two keys differ in
// ill-formed bytes alone: then a number is added.
char* put_labels(char* out, std::span<const Field> labels, std::span<const Field* const> strays,
                 const PreparedTemplate& tmpl);

}  // namespace sidelight
