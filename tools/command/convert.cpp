// SPDX-License-Identifier: Apache-2.0
// octet convert: converts a file and prints what became of it.
#include <cstdio>
#include <string>

#include "tools/command/command.h"
#include "tools/command/convert_file.h"
#include "tools/command/print.h"

namespace octet::command {

namespace {

std::string text_of(const ConvertReport& report, const ConvertOptions& options) {
  std::string text = format("%s -> %s\n", options.model.c_str(), options.output.c_str());
  text += format("nodes        %zu imported, %zu simplified, %zu quantized\n",
                 report.imported_nodes, report.simplified_nodes, report.quantized_nodes);
  text +=
      format("bytes        %s -> %s (%.1f %%)\n", grouped(report.source_bytes).c_str(),
             grouped(report.bytes).c_str(),
             100 * static_cast<double>(report.bytes) / static_cast<double>(report.source_bytes));
  const auto& measured = report.measured;
  if (measured) {
    text += format("calibration  %s, %s of %s\n", measured->calibration.c_str(),
                   count(measured->samples, "sample").c_str(), measured->data.c_str());
  }
  for (const auto& note : report.notes) text += format("note         %s\n", note.c_str());
  if (measured) {
    text += format(
        "int8/float   arg-max agrees on %.2f %%, SQNR of '%s' %.1f dB (on these samples)\n",
        100 * measured->cost.agreement(), measured->output.c_str(), measured->cost.sqnr_db());
  }
  return text;
}

}  // namespace

// The text is made before it is printed, and the file gets its name when all is printed: a
// conversion that fails, for want of memory too, leaves neither.
void run_convert(const ConvertOptions& options) {
  ConvertReport report = convert_file(options);
  const std::string text = text_of(report, options);
  std::fputs(text.c_str(), stdout);
  report.file.commit();
}

}  // namespace octet::command
