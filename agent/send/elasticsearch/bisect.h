// Finding the documents that make a whole request unacceptable (400, or 413 for small ones), without taking a
// destination, or one host of it, that refuses everything for a batch full of bad documents.
//
// A refused request is first sampled: a few of its documents, spread over it, are sent alone. Once any
// request that was sent after the refusal was accepted, the destination evidently works: the rest is halved
// until a part is accepted or is a single document. A single document that is refused becomes a suspect and
// is tried again when the round ends. It is at fault itself when a host has refused it alone kStrikes times
// more, each time after that host had accepted a request sent later than the one refused before; and when
// that host did not take another suspect meanwhile. When nothing was accepted in a round, nothing is known
// against the documents: all are held, and sampled again later.
//
// Where nothing else is there to be accepted, kTriesWhenQuiet refusals do, provided that the host accepted
// something between the refusal of the last part that the document was in with others and that of it alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sidelight {

// Why a whole request was refused.
struct Refusal {
  bool by_size = false;
  std::string_view reason;  // of the dead letter; static
  std::string type;
  std::string text;
};

// A document that was refused alone.
struct Suspect {
  unsigned strikes = 0;
  unsigned tries = 0;                  // refusals in all
  bool set_apart = false;              // something was accepted since it was refused together with others
  std::vector<std::uint64_t> refused;  // by host: the number of that request; 0: not refused there
  Refusal last;
};

// Shared by the parts of one refused request. One thread.
struct Bisect {
  std::uint64_t began = 0;        // the sender's count of requests when all of it was refused
  std::uint64_t round = 0;        // the same when this round began
  std::uint32_t outstanding = 0;  // parts that have no outcome yet
  unsigned rounds = 0;            // that ended with documents refused
  std::map<std::uint32_t, Suspect> suspects;
  std::vector<std::uint32_t> refused;  // suspects whose next try is due when the round ends
  std::vector<std::uint32_t> rest;     // those not sampled
  std::string last_error;
};

inline constexpr unsigned kStrikes = 1;
// A host that took what it had refused before is not to be believed for a while: so many then.
inline constexpr unsigned kStrikesOfTheFickle = 8;
inline constexpr unsigned kTriesWhenQuiet = 8;

inline constexpr std::size_t kSamples = 16;

// At most kSamples of `docs`, evenly spread from `offset` on; the others, in order, go to `rest`.
std::vector<std::uint32_t> choose_samples(const std::vector<std::uint32_t>& docs, std::uint64_t offset,
                                          std::vector<std::uint32_t>& rest);

}  // namespace sidelight
