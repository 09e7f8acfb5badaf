#pragma once

#include <tektii/util/stream.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tektii::cli {

// One value of a record as the document wrote it: a number keeps its digits, a string is without quotes and escapes, an
// array is JSON, null is empty. A value in an inner object has the names on the way to it: "price.open".
struct RecordField {
  std::string name;
  std::string text;
};

// Reads a JSON document of any length that holds one list of objects ([{...}], {"data": [{...}], ...}) and calls back
// for each of them; the fields are valid during the call. Throws Error{network} when the text is not such a document,
// and when it holds a second list, which would be lost.
void read_records(ByteSource& document, const std::function<void(const std::vector<RecordField>& fields)>& on_record);

}  // namespace tektii::cli
