#include "tests/fuzz/parse/check_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto parser = sidelight::parser_for_fuzzing({.format = sidelight::Format::json});
  sidelight::fuzz_parser(*parser, data, size);
  sidelight::fuzz_window({.format = sidelight::Format::json}, data, size);
  return 0;
}
