#include "tests/fuzz/parse/check_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto parser = sidelight::parser_for_fuzzing(
      {.format = sidelight::Format::regex,
       .pattern =
           R"(^(?P<time>\S+) (?P<level>\w+) (?P<http__response__status_code>\S+) (?P<user>\S*) (?P<message>.*))"});
  sidelight::fuzz_parser(*parser, data, size);
  return 0;
}
