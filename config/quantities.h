// Sizes and durations as people write them: "32MiB", "1s", "250ms". Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sidelight {

// A whole number with an optional unit: none or B (bytes), KiB MiB GiB TiB (or Ki Mi Gi Ti as Kubernetes
// writes them), KB MB GB TB (powers of 1000). Nothing for anything else, negative numbers and what passes
// int64.
std::optional<std::int64_t> parse_bytes(std::string_view text);

// One or more whole numbers each with its unit, ms s m h, as in "250ms" or "1m30s". A unit is required.
// Nothing for anything else and what passes int64 milliseconds.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The shortest exact form that the functions above read back: 33554432 -> "32MiB", 1500 ms -> "1500ms".
std::string format_bytes(std::int64_t bytes);
std::string format_duration(std::chrono::milliseconds duration);

// The shortest text that parse_number() reads back as the same number.
std::string format_number(double number);

// A decimal integer within int64, with an optional minus sign and nothing else.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace sidelight
