#pragma once

#include <string_view>

// What the fuzz targets do with one input. Each throws std::logic_error when a property does not hold; the same
// functions are run over the kept inputs of testdata/fuzz in every build.
namespace tektii::fuzz {

// A Dockerfile: parsing ends in a value or in an Error with a span inside the file.
void check_parser(std::string_view input);
// The first byte chooses the options, the rest is a word: plain words come out as they are.
void check_expander(std::string_view input);
// An ignore file, a line "--", and paths: a walk gets the answers of matches(), and what it skips is excluded.
void check_ignore(std::string_view input);
// The first byte chooses: the flags of an instruction, a mount, or another value that is parsed by hand.
void check_flags(std::string_view input);
// The records of a build cache, or the config of an image that may have some: what is read survives being written.
void check_cache(std::string_view input);

}  // namespace tektii::fuzz
