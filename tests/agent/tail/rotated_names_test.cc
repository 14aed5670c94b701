#include "agent/tail/rotated_names.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(RotatedNames, KnowsTheShapesThatRotationGives) {
  for (const char* name :
       {"app.log.1", "app.log.12", "app.log-20261122", "app.log.2026-11-22_03", "app.log.1.gz", "app.log.gz",
        "app.log.old", "app-2026-11-22.log", "app.1.log", "app-2026-11-22.log.gz", "app.log.20261122-101112"})
    EXPECT_TRUE(is_rotated_name("app.log", name)) << name;
  EXPECT_TRUE(is_rotated_name("0.log", "0.log.20261122-101112")) << "as the kubelet rotates";
}

TEST(RotatedNames, LeavesNeighboursAlone) {
  for (const char* name : {"app.log", "app.log.audit", "application.log", "app-error.log", "app2.log",
                           "app.log.1.txt", "bapp.log.1", "app.log.", "app-.log"})
    EXPECT_FALSE(is_rotated_name("app.log", name)) << name;
}

TEST(RotatedNames, AFamilyIsNamedAfterWhatItsGenerationsShare) {
  for (const char* name :
       {"app.log.1", "app.log.2.gz", "app.log.old", "app-2026-11-22.log", "app.log-20261122.gz"}) {
    EXPECT_EQ(family_name(name), "app.log") << name;
    EXPECT_TRUE(has_rotation_mark(name)) << name;
  }
  for (const char* name : {"app.log", "worker-1.log", "app", ".log", ""}) {
    EXPECT_EQ(family_name(name), name);
    EXPECT_FALSE(has_rotation_mark(name)) << name;
  }
}

}  // namespace
}  // namespace sidelight
