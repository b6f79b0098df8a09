// Results and circumstances are kept apart: what a table says must not change because the clock does.
#include "experiments/run/report.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>

#include "engine/atomic_file.h"
#include "engine/error.h"
#include "experiments/run/cell_store.h"
#include "experiments/run/progress.h"

namespace tobogan {
namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(": ") + 2));
  return "unknown";
}

std::string date_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

std::string seeds_text(const RunOptions& options) {
  std::string text;
  for (std::uint64_t seed : options.seeds) text += (text.empty() ? "" : ", ") + std::to_string(seed);
  return text;
}

// Paths and command lines need not be UTF-8; what is not is replaced.
std::string json_text(const nlohmann::json& value) {
  return value.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string bullet_list(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "- " + line + "\n";
  return text.empty() ? "" : text + "\n";
}

}  // namespace

Report::Report(Study study, RunOptions options, const Outcome& outcome)
    : study_(std::move(study)), options_(std::move(options)), outcome_(outcome) {}

void Report::add(Table table) {
  tables_.push_back(std::move(table));
}
void Report::add(Claim claim) {
  claims_.push_back(std::move(claim));
}
void Report::note(std::string text) {
  if (!text.empty()) notes_.push_back(std::move(text));
}

void Report::add_grid(const std::string& name, const std::string& caption, const ImageSet& images,
                      const GridOptions& grid) {
  if (options_.list) return;
  make_folder(options_.out);
  write_image_grid(options_.out / (name + ".png"), images, grid);
  figures_.push_back({name, caption, ""});
}

void Report::pictures(const std::function<void()>& add) {
  try {
    add();
  } catch (const Error& error) {
    note(concat_text("Pictures are missing: ", error.what()));
  }
}

void Report::add_plot(const std::string& name, const std::string& caption, const Plot& plot) {
  if (options_.list) return;
  make_folder(options_.out);
  figures_.push_back({name, caption, write_plot(options_.out / name, plot)});
}

int Report::write() {
  if (options_.list) return 0;
  std::string csv = Table::csv_head();
  for (const Table& table : tables_) csv += table.csv();
  make_folder(options_.out);
  atomic_write(options_.out / "tables.csv", csv);
  atomic_write(options_.out / "tables.json", json_text(results()));
  atomic_write(options_.out / "provenance.json", json_text(provenance()));
  atomic_write(options_.out / "report.md", markdown());
  print();
  return outcome_.exit_status();
}

void Report::print() const {
  for (const Table& table : tables_) std::cout << table.terminal() << "\n";
  if (!claims_.empty()) std::cout << "Claims\n" << terminal(claims_) << "\n";
  for (const std::string& text : notes_) std::cout << "note: " << text << "\n";
  std::string missing;  // the same reason for every plot is said once
  for (const Figure& figure : figures_) {
    if (!figure.missing.empty() && figure.missing != missing)
      std::cout << "note: " << figure.name << ".png is not drawn: " << figure.missing << "\n";
    missing = figure.missing;
  }
  if (outcome_.finished.size() < outcome_.cells.size())
    std::cout << outcome_.finished.size() << " of " << outcome_.cells.size() << " cells are finished; ... is pending\n";
  std::cout << "report: " << (options_.out / "report.md").native() << std::endl;
}

std::string Report::markdown() const {
  std::string text =
      fmt::format("# {}, profile {}, data={}\n\n", study_.name, to_string(options_.profile), study_.data);
  if (outcome_.finished.size() < outcome_.cells.size())
    text += fmt::format("{} of {} cells are finished; `...` is pending.\n\n", outcome_.finished.size(),
                        outcome_.cells.size());
  text += bullet_list(notes_);
  for (const Table& table : tables_) text += table.markdown() + "\n";
  if (!claims_.empty()) text += "### Claims\n\n" + tobogan::markdown(claims_) + "\n";
  return text + figures_markdown() + provenance_markdown();
}

std::string Report::figures_markdown() const {
  std::string text;
  for (const Figure& figure : figures_) {
    text += "### " + figure.caption + "\n\n";
    text += figure.missing.empty()
                ? fmt::format("![{0}]({0}.png)\n\n", figure.name)
                : fmt::format("`{}.csv` has the numbers; no picture: {}.\n\n", figure.name, figure.missing);
  }
  return text;
}

std::string Report::provenance_markdown() const {
  double seconds = 0;
  for (const auto& [name, cell] : outcome_.finished) seconds += cell.seconds;
  std::vector<std::string> lines = {
      "command: `" + command_line(options_) + "`",
      "date: " + date_text(),
      "data: " + study_.data,
      "profile: " + to_string(options_.profile),
      "seeds: " + seeds_text(options_),
      "device: " + device_text(options_) + ", processor " + cpu_model(),
      fmt::format("{} jobs, {} threads each", options_.jobs, options_.threads),
      fmt::format("{} cells, {} of computing", outcome_.finished.size(), duration_text(seconds)),
      "configuration and seconds of every cell: `provenance.json`"};
  for (const auto& [name, error] : outcome_.failed) lines.push_back("**cell " + name + " failed**: " + error);
  return "### Provenance\n\n" + bullet_list(lines);
}

nlohmann::json Report::results() const {
  nlohmann::json tables = nlohmann::json::array();
  for (const Table& table : tables_) tables.push_back(table.json());
  return {{"experiment", study_.name}, {"version", study_.version},
          {"data", study_.data},       {"profile", to_string(options_.profile)},
          {"seeds", options_.seeds},   {"device", device_text(options_)},
          {"tables", tables},          {"claims", json(claims_)}};
}

nlohmann::json Report::provenance() const {
  nlohmann::json cells = nlohmann::json::object();
  for (const Cell& cell : outcome_.cells) {
    const auto done = outcome_.finished.find(cell.name);
    const auto failed = outcome_.failed.find(cell.name);
    cells[cell.name] = {{"config", cell.config}, {"needs", cell.needs}};
    if (done != outcome_.finished.end())
      cells[cell.name].update({{"seconds", done->second.seconds},
                               {"folder", done->second.folder.native()},
                               {"result", done->second.result}});
    if (failed != outcome_.failed.end()) cells[cell.name]["error"] = failed->second;
  }
  return {{"command", command_line(options_)},
          {"date", date_text()},
          {"processor", cpu_model()},
          {"device", device_text(options_)},
          {"jobs", options_.jobs},
          {"threads", options_.threads},
          {"data", {{"source", study_.data}, {"folder", options_.data.native()}}},
          {"profile", to_string(options_.profile)},
          {"seeds", options_.seeds},
          {"cells", cells}};
}

}  // namespace tobogan
