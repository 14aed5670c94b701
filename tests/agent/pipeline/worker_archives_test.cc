// Compressed files: read from where they were not read before, or left alone.
#include <gtest/gtest.h>

#include <string>

#include "tests/agent/pipeline/worker_rig.h"

namespace sidelight::test {
namespace {

// No archive may be shipped as lines of text, whatever it is called, and while its compressor is at work.
TEST(Archives, CompressedOtherwiseAreLeftAlone) {
  using std::literals::operator""s;
  TailOptions tail;
  tail.paths = {"*"};
  Rig rig(tail);
  rig.append("a.log", "one\n");
  rig.append("a.log.2.xz", "\xfd\x37zXZ\0 and so on\n"s);
  rig.append("a.log.3.zst", "not yet\n");
  rig.append("a.log.4", "BZh91AY&SY and so on\n");
  rig.append("a.log.5.tmp", "");
  rig.append("b.log", "BZh9 is how this line begins\n");
  rig.start();
  rig.settle();
  rig.append("a.log.5.tmp", "\x1f\x8b\x08 and so on\n");
  rig.settle();
  rig.append("a.log.5.tmp", "and so on\n");
  rig.settle();
  rig.crash();
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"BZh9 is how this line begins", "one"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
  EXPECT_EQ(rig.tail_probe.unreadable, 0u);
  EXPECT_EQ(rig.tail_probe.tracked, 2u);
}

TEST(Archives, AnArchiveThatGetsItsNameWhenItIsWholeIsStillReadFrom) {
  TailOptions tail;
  tail.paths = {"*"};
  Rig rig(tail);
  rig.append("a.log", "one\n");
  rig.start();
  rig.settle();
  rig.crash();
  rig.append("a.log", "unread\n");
  rig.rename("a.log", "a.log.1");
  rig.gzip("a.log.1", true);
  rig.rename("a.log.1.gz", "a.log.1.tmp");
  rig.start();
  rig.rename("a.log.1.tmp", "a.log.1.gz");
  rig.remove("a.log.1");
  rig.append("a.log", "two\n");
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "two", "unread"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

TEST(Archives, CompressedOneThatWasMissedIsRead) {
  Rig rig;
  rig.start();
  rig.append("a.log", "one\n");
  rig.settle();
  rig.crash();
  rig.append("a.log", "two\n");
  rig.rename("a.log", "a.log.1");
  rig.gzip("a.log.1");
  rig.append("a.log", "three\n");
  rig.start();
  rig.settle();
  EXPECT_EQ(texts(rig), (Texts{"one", "three", "two"}));
  EXPECT_EQ(rig.tail_probe.lost, 0u);
}

}  // namespace
}  // namespace sidelight::test
