// Any bytes as the checkpoint and its predecessor: the store opens, holds only states that come back as they
// are, takes new ones, and after that is sound.
//
// The input is the checkpoint, a byte 0xff, and the predecessor. A line that begins with '=' gets the right
// checksum in its place, so that mutations reach what is behind it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "agent/base/hash.h"
#include "agent/checkpoint/store.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::string with_checksums(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (line.starts_with('=')) {
      char crc[10];
      std::snprintf(crc, sizeof crc, "%08x ", crc32c(line.substr(1)));
      out.append(crc).append(line.substr(1));
    } else {
      out += line;
    }
    if (end == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

struct NoDamageExpected final : CheckpointProbe {
  void committed(WallNanos /*at*/, std::uint64_t /*bytes*/, std::uint64_t /*files*/) override {}
  void unchanged(WallNanos /*at*/) override {}
  void write_error() override { require(false, "no write fails"); }
  void damaged() override { require(false, "what the store wrote is sound"); }
};

std::map<std::string, CheckpointState> states_of(const CheckpointStore& store) {
  std::map<std::string, CheckpointState> out;
  for (auto& s : store.states()) out[s.key] = s;
  return out;
}

void try_store(std::string_view current, std::string_view previous) {
  MemoryFileSystem fs;
  FakeClock clock;
  NullLogger log;
  NullCheckpointProbe probe;
  NoDamageExpected sound;
  fs.write_file("/s/checkpoint", with_checksums(current));
  fs.write_file("/s/checkpoint.previous", with_checksums(previous));
  auto opened = CheckpointStore::open({fs, clock, log, probe}, "/s");
  require(opened.has_value(), "a damaged checkpoint does not stop the program");
  require(!(*opened)->first_start(), "there was a checkpoint");
  auto states = states_of(**opened);
  for (const auto& [key, state] : states) {
    CheckpointState again;
    require(decode_state(encode_state(state), again) && again == state, "a state comes back as it is");
  }
  CheckpointState more;
  more.key = "AAAAAAAAAAAAAAAAAAAAAA";
  more.path = more.real = "/a";
  if (!states.empty()) {
    (*opened)->forget(states.begin()->first);
    states.erase(states.begin());
  }
  (*opened)->put({more});
  states[more.key] = more;
  require((*opened)->sync_all().has_value(), "it can be written");
  opened->reset();
  auto reopened = CheckpointStore::open({fs, clock, log, sound}, "/s");
  require(reopened.has_value() && states_of(**reopened) == states, "what was synced is there again");
}

}  // namespace
}  // namespace sidelight

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto split = input.find('\xff');
  sidelight::try_store(input.substr(0, split),
                       split == std::string_view::npos ? std::string_view() : input.substr(split + 1));
  return 0;
}
