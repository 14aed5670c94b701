// Documents that will wait long leave the batch that they came in, so that its body and chunks are free
// again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "agent/base/budget.h"
#include "agent/batch/batch.h"

namespace sidelight {

// Moves the unsettled documents `docs` of `from`, ascending, to the end of `into`: their text, their
// originals, and with them the right to settle their spans. They must be all the unsettled documents of every
// span that they are of. Afterwards nothing in `into` points into `from`, and `from` has forgotten them.
// Returns the bytes of body moved.
std::size_t move_documents(Batch& from, std::span<const std::uint32_t> docs, Batch& into);

// Brings what is charged for `batch` up to what it holds.
void charge_batch(Batch& batch, Budget& budget);

}  // namespace sidelight
