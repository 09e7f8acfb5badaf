#include <tektii/attest/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::attest {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* k_dpkg =
    "Package: bash\nStatus: install ok installed\nMaintainer: Matthias Klose <doko@debian.org>\nArchitecture: amd64\n"
    "Version: 5.2.15-2+b2\nSource: bash (5.2.15-2)\nDescription: GNU shell\n Version: of nothing\nHomepage: "
    "http://tiswww.case.edu/php/chet/bash/bashtop.html\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\n"
    "Package: half\nStatus: install ok half-installed\nVersion: 1\n\n"
    "Package: libc6\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1:2.36\r\nSource: glibc";

TEST(Packages, OfDpkgAreThoseThatAreInstalled) {
  const auto packages = parse_dpkg_status(k_dpkg, "var/lib/dpkg/status");
  ASSERT_THAT(packages, SizeIs(2));
  EXPECT_EQ(packages[0].name, "bash");
  EXPECT_EQ(packages[0].version, "5.2.15-2+b2");
  EXPECT_EQ(packages[0].source_name, "bash");
  EXPECT_EQ(packages[0].source_version, "5.2.15-2");
  EXPECT_EQ(packages[0].supplier, "Matthias Klose <doko@debian.org>");
  const Distribution debian{"debian", "12", ""};
  EXPECT_EQ(package_url(packages[0], debian),
            "pkg:deb/debian/bash@5.2.15-2%2Bb2?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2");
  EXPECT_EQ(package_url(packages[1], debian), "pkg:deb/debian/libc6@1:2.36?arch=amd64&distro=debian-12&upstream=glibc");
}

TEST(Packages, OfDistrolessImagesHaveNoStatus) {
  const auto packages = parse_dpkg_status("Package: tzdata\nVersion: 2024a\nArchitecture: all\n", "status.d/tzdata");
  ASSERT_THAT(packages, SizeIs(1));
  EXPECT_EQ(packages[0].location, "status.d/tzdata");
}

TEST(Packages, OfApkStateTheirLicence) {
  const auto packages = parse_apk_installed(
      "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\nm:Timo <t@alpine>\nF:lib\nR:ld.so\n\n"
      "P:ssl_client\nV:1.36.1-r5\nA:x86_64\nL:GPL-2.0-only\no:busybox\n",
      "lib/apk/db/installed");
  ASSERT_THAT(packages, SizeIs(2));
  EXPECT_EQ(packages[0].license, "MIT");
  EXPECT_EQ(package_url(packages[0], {"alpine", "3.18.4", ""}),
            "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4");
  EXPECT_EQ(package_url(packages[1], {}), "pkg:apk/alpine/ssl_client@1.36.1-r5?arch=x86_64&upstream=busybox");
}

TEST(Packages, OfPythonHaveTheirNormalName) {
  const auto package = parse_python_metadata(
      "Metadata-Version: 2.1\nName: ruamel.yaml_Clib\nVersion: 0.2.8\nLicense: UNKNOWN\n"
      "Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License\n\nVersion: 9 in text\n",
      "x");
  ASSERT_TRUE(package.has_value());
  EXPECT_EQ(package->version, "0.2.8");
  EXPECT_EQ(package->license, "MIT License");
  EXPECT_EQ(package_url(*package, {"debian", "12", ""}), "pkg:pypi/ruamel-yaml-clib@0.2.8");
  EXPECT_FALSE(parse_python_metadata("Name: x\n\nVersion: 1\n", "x").has_value());
  const auto stated = parse_python_metadata("Name: x\nVersion: 1\nLicense: old\nLicense-Expression: MIT\n", "x");
  EXPECT_EQ(stated->license, "MIT");
}

TEST(Packages, OfNpmMayHaveAScope) {
  const auto package = parse_npm_package(
      R"({"name":"@babel/core","version":"7.1.0","license":"MIT","author":{"name":"S"},"homepage":"https://b.io"})",
      "x");
  ASSERT_TRUE(package.has_value());
  EXPECT_EQ(package_url(*package, {}), "pkg:npm/%40babel/core@7.1.0");
  EXPECT_EQ(package->supplier, "S");
  EXPECT_EQ(parse_npm_package(R"({"name":"a","version":"1","licenses":[{"type":"MIT"},{"type":"ISC"}]})", "x")->license,
            "(MIT OR ISC)");
  for (const auto* text : {"", "[]", "{", R"({"name":"a"})", R"({"name":1,"version":2})", R"({"version":"1"})"}) {
    EXPECT_FALSE(parse_npm_package(text, "x").has_value()) << text;
  }
}

TEST(Packages, DatabasesWithoutPackagesHaveNone) {
  EXPECT_THAT(parse_dpkg_status("", ""), IsEmpty());
  EXPECT_THAT(parse_dpkg_status("Package: x\n\n:\n\nVersion: 1", ""), IsEmpty());
  EXPECT_THAT(parse_apk_installed("P:\nV:\n\n\n", ""), IsEmpty());
}

TEST(Packages, OsReleaseMayBeQuoted) {
  const auto read = parse_os_release("# comment\nPRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\nVERSION_ID='12'\n");
  EXPECT_EQ(read.id, "debian");
  EXPECT_EQ(read.version, "12");
  EXPECT_EQ(read.name, "Debian GNU/Linux 12");
}

}  // namespace
}  // namespace tektii::attest
