#include "agent/tail/rotated_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

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

TEST(RotatedNames, AllPossibleOriginalsAreNamed) {
  std::vector<std::string> names;
  for (const char* live : {"app.log", "app", "a.b.log", "app-1.log", "x.", ".log", "log.1"})
    for (const char* stamp :
         {"", ".1", "-20261122", ".2026-11-22_03", ".old", ".bak", ".audit", "_1.", "-1.2"}) {
      const std::string name(live);
      const auto dot = name.rfind('.');
      for (const char* end : {"", ".gz"}) {
        names.push_back(name + stamp + end);
        if (dot != std::string::npos) names.push_back(name.substr(0, dot) + stamp + name.substr(dot) + end);
      }
    }
  int rotated = 0;
  for (const std::string& live : names) {
    for (const std::string& name : names) {
      if (!is_rotated_name(live, name)) continue;
      ++rotated;
      const auto originals = possible_originals(name);
      EXPECT_NE(std::find(originals.begin(), originals.end(), live), originals.end())
          << live << " of " << name;
      EXPECT_TRUE(name.starts_with(rotation_prefix(live))) << live << " of " << name;
    }
  }
  EXPECT_GT(rotated, 100);
}

}  // namespace
}  // namespace sidelight
