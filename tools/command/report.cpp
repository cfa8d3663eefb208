// SPDX-License-Identifier: Apache-2.0
// The page from top to bottom: figures, network, error by node, distributions, changed answers.
#include "tools/command/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "tools/command/print.h"
#include "tools/data/array.h"

namespace octet::command {
namespace {

constexpr const char* kStyle = R"(
:root { --ink: #1c2430; --soft: #667085; --line: #d9dee7; --int8: #2f6fde; --float: #d97706; --bad: #c0362c; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 1000px; margin: 0 auto; padding: 36px 28px; }
h1 { font-size: 26px; margin: 0 0 2px; } h2 { font-size: 18px; margin: 40px 0 4px; }
p { color: var(--soft); margin: 0 0 14px; max-width: 75ch; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 22px 0 0; }
.card { border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.card b { display: block; font-size: 22px; font-weight: 650; } .card span { color: var(--soft); font-size: 13px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 18px 22px; }
figure { margin: 0; } figcaption { font-size: 13px; color: var(--soft); } figcaption b { color: var(--ink); }
svg { display: block; width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: var(--soft); border-bottom: 2px solid var(--line); padding: 5px 8px; }
td { text-align: right; border-bottom: 1px solid var(--line); padding: 5px 8px; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } .scroll { overflow-x: auto; }
.net { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 0; }
.node { border: 1.5px solid var(--int8); border-radius: 8px; padding: 5px 10px; font-size: 13px; text-align: center; }
.node.f { border-color: var(--float); } .node small { color: var(--soft); display: block; }
.arrow { color: var(--soft); padding: 0 8px; }
footer { margin-top: 44px; color: var(--soft); font-size: 12px; border-top: 1px solid var(--line); padding-top: 10px; }
@media print { body { padding: 0; max-width: none; font-size: 12px; } h2 { break-after: avoid; } figure, tr, .card { break-inside: avoid; } }
)";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string file_name(const std::string& path) {
  return escaped(std::filesystem::path(path).filename().string());
}

std::string percent(double part) {
  return format("%.2f %%", 100 * part);
}

std::string card(const std::string& value, const std::string& what) {
  return "<div class=card><b>" + value + "</b><span>" + what + "</span></div>\n";
}

std::string cards(const Comparison& comparison, const CompareOptions& options) {
  const convert::Evaluation& total = comparison.total;
  std::string html = "<div class=cards>\n";
  if (comparison.has_labels) {
    html += card(percent(total.accuracy()), "accuracy in int8");
    html += card(percent(total.reference_accuracy()), "accuracy in float");
  }
  html += card(percent(total.agreement()),
               "same answer, " + grouped(comparison.flips.size()) + " changed");
  html += card(decibels(total.sqnr_db()), "SQNR of the first output");
  const auto bytes = static_cast<double>(data::file_bytes(options.model));
  const auto before = static_cast<double>(data::file_bytes(options.float_model));
  html += card(format("%.1f KB", bytes / 1000),
               format("of %.1f KB in float, %.1f %%", before / 1000, 100 * bytes / before));
  return html + "</div>\n";
}

std::string network(const engine::Graph& graph) {
  std::string html =
      "<h2>Network</h2>\n<p>In the order of execution. Blue computes in 8 bits or gives them, "
      "orange "
      "gives floats.</p>\n<div class=net>\n";
  const auto box = [&](const std::string& name, const std::string& what, engine::DType dtype) {
    return std::string("<div class=\"node") + (engine::is_q8(dtype) ? "" : " f") + "\">" +
           escaped(name) + "<small>" + what + "</small></div>\n";
  };
  for (const engine::GraphInput& input : graph.inputs) {
    const engine::Tensor& tensor = graph.tensors[input.tensor];
    html += box(tensor.name,
                std::string(engine::dtype_name(tensor.dtype)) + " " + shape_text(tensor.shape),
                tensor.dtype);
  }
  for (const engine::Node& node : graph.nodes) {
    const engine::Tensor& tensor = graph.tensors[node.output];
    html += "<span class=arrow>&rarr;</span>" +
            box(node.name,
                std::string(engine::op_name(node.op)) + " &rarr; " +
                    std::string(engine::dtype_name(tensor.dtype)) + " " + shape_text(tensor.shape),
                tensor.dtype);
  }
  return html + "</div>\n";
}

// Horizontal bars, one for each node.
std::string error_bars(const Comparison& comparison) {
  constexpr int kRow = 26;
  constexpr int kLeft = 190;
  constexpr int kPlotWidth = 940;
  double largest = 10;
  for (const NodeComparison& node : comparison.nodes) {
    if (std::isfinite(node.sqnr_db)) largest = std::max(largest, node.sqnr_db);
  }
  const int height = kRow * static_cast<int>(comparison.nodes.size()) + 6;
  std::string svg = format("<svg viewBox=\"0 0 %d %d\" role=img>\n", kPlotWidth, height);
  int y = 3;
  for (const NodeComparison& node : comparison.nodes) {
    const double db = std::isfinite(node.sqnr_db) ? std::max(node.sqnr_db, 0.0) : largest;
    const double width = db / largest * (kPlotWidth - kLeft - 90);
    svg += format("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", kLeft - 10, y + 17) +
           escaped(node.name) + "</text>";
    svg += format("<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"3\" fill=\"%s\"/>",
                  kLeft, y + 4, width, kRow - 8,
                  db < 20                     ? "var(--bad)"
                  : engine::is_q8(node.dtype) ? "var(--int8)"
                                              : "var(--float)");
    svg += format("<text x=\"%.1f\" y=\"%d\">", kLeft + width + 8, y + 17) +
           decibels(node.sqnr_db) + "</text>\n";
    y += kRow;
  }
  return "<h2>Error by node</h2>\n<p>How far each node's values stand above the difference from "
         "the "
         "float network (SQNR), all errors before it included: 6 dB are a bit. Below 20 dB is "
         "red.</p>\n"
         "<figure>" +
         svg + "</svg></figure>\n";
}

// Bars of log(1 + count), the range of the codes as a band, zero as a line.
std::string histogram_svg(const Histogram& histogram, const NodeComparison* codes) {
  constexpr double kPlotWidth = 300;
  constexpr double kPlotHeight = 96;
  const std::uint64_t most = *std::ranges::max_element(histogram.counts);
  const double tallest = std::log1p(static_cast<double>(most));
  const auto x_of = [&](double value) {
    return (value - histogram.low) / (histogram.high - histogram.low) * kPlotWidth;
  };
  std::string svg = format("<svg viewBox=\"0 0 %g %g\" role=img>\n", kPlotWidth, kPlotHeight + 16);
  if (codes != nullptr) {
    svg += format(
        "<rect x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%g\" fill=\"#2f6fde\" "
        "opacity=\"0.10\"/>\n",
        x_of(codes->lowest), x_of(codes->highest) - x_of(codes->lowest), kPlotHeight);
  }
  const double bin = kPlotWidth / Histogram::kBins;
  for (std::size_t i = 0; i < Histogram::kBins; ++i) {
    if (histogram.counts[i] == 0) continue;
    const double height =
        std::log1p(static_cast<double>(histogram.counts[i])) / tallest * kPlotHeight;
    const double middle = histogram.low + (static_cast<double>(i) + 0.5) / Histogram::kBins *
                                              (histogram.high - histogram.low);
    const bool outside = codes != nullptr && (middle < codes->lowest || middle > codes->highest);
    svg += format("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"/>",
                  static_cast<double>(i) * bin, kPlotHeight - height, bin * 0.86, height,
                  outside ? "#c0362c" : "#475467");
  }
  svg += format("\n<line x1=\"0\" y1=\"%g\" x2=\"%g\" y2=\"%g\" stroke=\"#98a2b3\"/>", kPlotHeight,
                kPlotWidth, kPlotHeight);
  svg += format("<text x=\"0\" y=\"%g\">%.3g</text>", kPlotHeight + 13, histogram.low);
  svg += format("<text x=\"%g\" y=\"%g\" text-anchor=\"end\">%.3g</text>", kPlotWidth,
                kPlotHeight + 13, histogram.high);
  if (histogram.low < 0 && histogram.high > 0) {
    const double zero = x_of(0);
    svg += format(
        "<line x1=\"%.1f\" y1=\"0\" x2=\"%.1f\" y2=\"%g\" stroke=\"#98a2b3\" stroke-dasharray=\"2 "
        "3\"/>",
        zero, zero, kPlotHeight);
    if (zero > 40 && zero < kPlotWidth - 40) {
      svg += format("<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">0</text>", zero,
                    kPlotHeight + 13);
    }
  }
  return svg + "</svg>\n";
}

std::string distributions(const Comparison& comparison) {
  std::string html =
      "<h2>Activations</h2>\n<p>Values of the float network on a logarithmic scale of counts; the "
      "blue "
      "band is what the codes can say. Red bars are clipped.</p>\n<div class=grid>\n";
  for (const NodeComparison& node : comparison.nodes) {
    const bool codes = engine::is_q8(node.dtype);
    html += "<figure>" + histogram_svg(node.values, codes ? &node : nullptr) + "<figcaption><b>" +
            escaped(node.name) + "</b> " +
            (codes ? format("%.1f %% of the codes used, %.3g %% of the values clipped",
                            100 * node.used, 100 * node.clipped)
                   : std::string("in float")) +
            "</figcaption></figure>\n";
  }
  html +=
      "</div>\n<h2>Weights</h2>\n<p>Of the float network, on a logarithmic scale of counts.</p>\n"
      "<div class=grid>\n";
  for (const NodeComparison& node : comparison.nodes) {
    if (std::ranges::all_of(node.weights.counts, [](std::uint64_t n) { return n == 0; })) continue;
    html += "<figure>" + histogram_svg(node.weights, nullptr) + "<figcaption><b>" +
            escaped(node.name) + "</b></figcaption></figure>\n";
  }
  return html + "</div>\n";
}

std::string node_table(const Comparison& comparison) {
  std::string html =
      "<h2>Nodes</h2>\n<p>Wasted: codes on a side of zero that no value reaches. Alone: this node "
      "in "
      "int8, all others in float; left out: this node in float, all others in int8 (SQNR of the "
      "output, changed answers). Sums: the largest that any input could bring about, of what int32 "
      "holds.</p>\n<div "
      "class=scroll><table>\n<tr><th>node<th>op<th>type<th>range<th>used<th>clipped"
      "<th>wasted<th>SQNR<th>cosine<th>alone<th>left out<th>sums</tr>\n";
  for (const NodeComparison& node : comparison.nodes) {
    const bool codes = engine::is_q8(node.dtype);
    const auto cell = [&](bool shown, const std::string& text) {
      html += "<td>" + (shown ? text : std::string("&ndash;"));
    };
    html += "<tr><td>" + escaped(node.name) + "<td>" + node.op + "<td>" +
            std::string(engine::dtype_name(node.dtype));
    cell(codes, format("%.4g .. %.4g", node.lowest, node.highest));
    cell(codes, format("%.1f %%", 100 * node.used));
    cell(codes, format("%.3g %%", 100 * node.clipped));
    cell(codes, format("%.1f %%", 100 * node.wasted));
    cell(true, decibels(node.sqnr_db));
    cell(true, format("%.6f", node.cosine));
    for (const Effect& effect : {node.alone, node.left_out}) {
      cell(true, decibels(effect.sqnr_db) + ", " + std::to_string(effect.flips));
    }
    cell(node.accumulator != 0, format("%.2f %%", 100 * node.accumulator));
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

// A square for each pair of answers.
std::string confusion(const Comparison& comparison) {
  constexpr std::size_t kMostClasses = 40;
  if (comparison.classes > kMostClasses || comparison.classes < 2) return "";
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> pairs;
  std::size_t most = 1;
  for (const Flip& flip : comparison.flips) {
    most = std::max(most, ++pairs[{flip.expected, flip.got}]);
  }
  constexpr double kCell = 26;
  const double side = kCell * static_cast<double>(comparison.classes);
  std::string svg = format("<svg viewBox=\"-64 -36 %g %g\" style=\"max-width:%gpx\" role=img>\n",
                           side + 70, side + 42, side + 70);
  svg += format(
      "<text x=\"%g\" y=\"-22\" text-anchor=\"middle\">answer in int8</text>"
      "<text transform=\"translate(-34 %g) rotate(-90)\" text-anchor=\"middle\">in float</text>\n",
      side / 2, side / 2);
  for (std::size_t row = 0; row < comparison.classes; ++row) {
    const double y = kCell * static_cast<double>(row);
    svg += format(
        "<text x=\"-8\" y=\"%g\" text-anchor=\"end\">%zu</text>"
        "<text x=\"%g\" y=\"-6\" text-anchor=\"middle\">%zu</text>",
        y + 17, row, y + kCell / 2, row);
    for (std::size_t column = 0; column < comparison.classes; ++column) {
      const auto found = pairs.find({row, column});
      const std::size_t n = found == pairs.end() ? 0 : found->second;
      const double x = kCell * static_cast<double>(column);
      const double opacity =
          n == 0 ? 0 : 0.25 + 0.75 * static_cast<double>(n) / static_cast<double>(most);
      svg += format(
          "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" rx=\"3\" fill=\"%s\" "
          "fill-opacity=\"%.2f\"/>",
          x + 1, y + 1, kCell - 2, kCell - 2,
          row == column ? "#e7eaf0"
          : n == 0      ? "#f5f6f9"
                        : "#c0362c",
          n == 0 ? 1.0 : opacity);
      if (n != 0) {
        svg +=
            format("<text x=\"%g\" y=\"%g\" text-anchor=\"middle\" style=\"fill:#fff\">%zu</text>",
                   x + kCell / 2, y + 17, n);
      }
    }
    svg += "\n";
  }
  return "<figure>" + svg + "</svg></figure>\n";
}

std::string flips(const Comparison& comparison) {
  constexpr std::size_t kShown = 50;
  std::string html = "<h2>Changed answers</h2>\n";
  if (comparison.flips.empty()) return html + "<p>None.</p>\n";
  html += "<p>" + grouped(comparison.flips.size()) + " of " + grouped(comparison.total.samples()) +
          ". The margin is between the float network's best and second output: small ones are "
          "samples that it was itself unsure of.</p>\n" +
          confusion(comparison);
  html += "<div class=scroll><table>\n<tr><th>sample<th>float<th>int8<th>margin";
  html += comparison.has_labels ? "<th>label<th>right</tr>\n" : "</tr>\n";
  for (std::size_t i = 0; i < comparison.flips.size() && i < kShown; ++i) {
    const Flip& flip = comparison.flips[i];
    html += format("<tr><td>%zu<td>%zu<td>%zu<td>%.4g", flip.sample, flip.expected, flip.got,
                   flip.margin);
    if (comparison.has_labels) {
      html += format("<td>%zu<td>%s", flip.label,
                     flip.label == flip.got        ? "int8"
                     : flip.label == flip.expected ? "float"
                                                   : "neither");
    }
    html += "</tr>\n";
  }
  html += "</table></div>\n";
  if (comparison.flips.size() > kShown) {
    html += format("<p>And %zu with larger margins.</p>\n", comparison.flips.size() - kShown);
  }
  return html;
}

std::string metadata(const engine::Graph& graph) {
  std::string html = "<footer>";
  for (const auto& [key, value] : graph.metadata) {
    html += escaped(key) + ": " + escaped(value) + "<br>";
  }
  return html + "</footer>\n";
}

}  // namespace

std::string html_report(const Comparison& comparison, const engine::Graph& graph,
                        const CompareOptions& options) {
  std::string html =
      "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n<meta name=viewport "
      "content=\"width=device-width, initial-scale=1\">\n<title>octet: " +
      file_name(options.model) + "</title>\n<style>" + kStyle + "</style></head><body>\n<h1>" +
      file_name(options.model) + "</h1>\n<p>beside " + file_name(options.float_model) + ", on " +
      count(comparison.total.samples(), "sample") + " of " + escaped(options.data) + "</p>\n";
  html += cards(comparison, options);
  html += network(graph);
  html += error_bars(comparison);
  html += distributions(comparison);
  html += node_table(comparison);
  html += flips(comparison);
  html += metadata(graph);
  return html + "</body></html>\n";
}

}  // namespace octet::command
