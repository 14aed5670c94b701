#include "agent/tail/gzip_file.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sidelight {
namespace {

class GzipFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/sidelight-gzip-XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string write(const std::string& bytes, const char* mode = "wb") const {
    const std::string path = dir_ + "/x.gz";
    gzFile f = gzopen(path.c_str(), mode);
    gzwrite(f, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(f);
    return path;
  }
  static std::string text(std::size_t n) {
    std::string s;
    for (std::size_t i = 0; s.size() < n; ++i) s += "line " + std::to_string(i * i) + "\n";
    return s;
  }
  std::string dir_;
  PosixFileSystem fs_;
  ArchiveMemory memory_;
};

TEST_F(GzipFile, GivesThePlainSizeAndBytesFromAnyOffsetBackAndForth) {
  const std::string plain = text(300'000);
  auto file = open_gzip(fs_, write(plain), memory_);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ((*file)->stat()->size, plain.size());
  std::string got(1000, '\0');
  for (const std::size_t at : {std::size_t{0}, std::size_t{250'000}, std::size_t{7}, plain.size() - 400}) {
    const auto n = (*file)->read_at(got.data(), got.size(), at);
    ASSERT_TRUE(n);
    EXPECT_EQ(got.substr(0, *n), plain.substr(at, got.size()));
  }
  EXPECT_EQ(*(*file)->read_at(got.data(), got.size(), plain.size() + 5), 0u);
}

TEST_F(GzipFile, GivesTheSameBytesAfterStepsBackOfAnyLength) {
  const std::string plain = text(400'000);
  write(plain.substr(0, 123'456));
  auto file = open_gzip(fs_, write(plain.substr(123'456), "ab"), memory_);
  ASSERT_TRUE(file);
  std::string got(plain.size(), '\0');
  std::size_t at = 0;
  std::size_t x = 1;
  for (int i = 0; i < 300; ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    const std::size_t n = (x >> 33) % (i % 3 == 0 ? 100'000 : 3000);
    const auto have = (*file)->read_at(got.data(), n, at);
    ASSERT_TRUE(have);
    ASSERT_EQ(got.substr(0, *have), plain.substr(at, n)) << at << " " << n;
    const std::size_t back = (x >> 20) % (i % 7 == 0 ? 50'000 : 600);
    at = at + *have < plain.size() ? at + *have - std::min(back, at + *have) : 0;
  }
}

TEST_F(GzipFile, ReadsSeveralMembersAsOne) {
  write("first\n");
  const auto path = write("second\n", "ab");
  auto file = open_gzip(fs_, path, memory_);
  ASSERT_TRUE(file);
  std::string got(100, '\0');
  got.resize(*(*file)->read_at(got.data(), got.size(), 0));
  EXPECT_EQ(got, "first\nsecond\n");
}

TEST_F(GzipFile, RefusesAnUnfinishedOrDamagedStream) {
  const auto path = write(text(100'000));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_FALSE(open_gzip(fs_, path, memory_));
  std::ofstream(path) << "not gzip at all";
  EXPECT_FALSE(open_gzip(fs_, path, memory_));
}

}  // namespace
}  // namespace sidelight
