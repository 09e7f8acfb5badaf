#pragma once

#include "copy_source.hpp"
#include <tektii/attest/packages.hpp>

#include <stop_token>
#include <vector>

namespace tektii::builder {

struct ScannedPackages {
  attest::Distribution distribution;
  std::vector<attest::Package> packages;
};

// What the package databases of a file system say is installed: those of dpkg, apk, pip and npm. Nothing is unpacked
// and nothing runs; each layer that has one of the files is read once. Throws Error when one can't be read.
ScannedPackages scan_packages(CopySource& files, const std::stop_token& stop);

}  // namespace tektii::builder
