#pragma once

#include <tektii/util/stream.hpp>

namespace tektii::cli {

// Writes the records of a JSON document as CSV (RFC 4180, but lines end with \n): a header with the names of the first
// record's fields, then one line per record. Memory does not depend on the length. Throws as read_records does, and
// Error{failure} when a later record has a field that the first one lacks, because it would have no column. Does not
// call out.finish().
void write_records_csv(ByteSource& document, ByteSink& out);

// Writes one JSON object as CSV with the columns field and value; inner objects as "outer.inner". The object may be
// under "data". Throws Error{network} when there is none.
void write_object_csv(ByteSource& document, ByteSink& out);

}  // namespace tektii::cli
