// Finding the documents that make a whole request unacceptable (400), without taking a destination that
// refuses everything for a batch full of bad documents.
//
// A refused request is first sampled: a few of its documents, spread over it, are sent alone. Once any
// request was accepted since the first refusal, the destination evidently works: the rest is halved until a
// part is accepted or is a single document. A single document that is refused after something else was
// accepted is at fault itself. When every sample is refused and nothing else was accepted, nothing is known
// against the documents: all are held, and other samples are tried later.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sidelight {

// Shared by the parts of one refused request. One thread.
struct Bisect {
  std::uint64_t accepted_before = 0;   // the sender's count of accepted requests when it began
  std::uint32_t outstanding = 0;       // parts that have no outcome yet
  unsigned rounds = 0;                 // times that all of it was refused
  std::vector<std::uint32_t> refused;  // documents refused alone before anything was accepted
  std::vector<std::uint32_t> rest;     // those not sampled
  std::string last_error;
};

inline constexpr std::size_t kSamples = 16;

// At most kSamples of `docs`, evenly spread from `offset` on; the others, in order, go to `rest`.
std::vector<std::uint32_t> choose_samples(const std::vector<std::uint32_t>& docs, std::uint64_t offset,
                                          std::vector<std::uint32_t>& rest);

}  // namespace sidelight
