// gnuplot is started by its name with the script as its one argument, in the folder of the files: no shell sees any
// text, and inside the script every text stands in single quotes, where gnuplot substitutes nothing.
#include "experiments/run/plot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "engine/atomic_file.h"
#include "engine/error.h"

namespace tobogan {
namespace {

void check_plot(const std::string& name, const Plot& plot) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-';
  });
  check(plain, "a plot's name consists of letters, digits, _ and -, got '", name, "'");
  check(!plot.series.empty(), "plot ", name, " has no series");
  for (const Series& series : plot.series) {
    const std::size_t points = series.x.size();
    check(points > 0 && series.y.size() == points && (series.spread.empty() || series.spread.size() == points), "plot ",
          name, ", series '", series.name, "': expected as many x as y (and error bars, if any), got ", points, ", ",
          series.y.size(), " and ", series.spread.size());
  }
}

// Control characters would end a script's line; gnuplot doubles a quote inside single quotes.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (char c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
    result += c == '\'' ? std::string("''") : std::string(1, c);
  }
  return result + "'";
}

std::string csv_name(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
    result += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return result + "\"";
}

// Series stand in blocks parted by two empty lines, which gnuplot counts as index 0, 1, ...; other readers skip them.
std::string csv_text(const Plot& plot) {
  std::string text = "series,x,y,spread\n";
  for (const Series& series : plot.series) {
    if (&series != &plot.series.front()) text += "\n\n";
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      const std::string spread = series.spread.empty() ? "" : fmt::format("{}", series.spread[i]);
      text += fmt::format("{},{},{},{}\n", csv_name(series.name), series.x[i], series.y[i], spread);
    }
  }
  return text;
}

const char* style_text(Series::Style style) {
  switch (style) {
    case Series::Style::line:
      return "with lines lw 2";
    case Series::Style::points:
      return "with points pt 7 ps 0.6";
    case Series::Style::dashed:
      return "with lines lw 2 dt 2";
    case Series::Style::line_and_points:
      break;
  }
  return "with linespoints lw 2 pt 7 ps 0.9";
}

// Ten colours that stay apart for most colour-blind readers and in both thin lines and small points.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                                    "#56b4e9", "#000000", "#8c564b", "#7f7f7f", "#6a3d9a"};

std::string script_text(const std::string& name, const std::string& png, const Plot& plot) {
  std::string text = fmt::format("# gnuplot {0}.gp draws {0}.png from {0}.csv\n", name);
  text +=
      fmt::format("set terminal pngcairo noenhanced size {},{}\nset output {}\n", plot.width, plot.height, quoted(png));
  text +=
      "set datafile separator comma\nset grid lt 1 lw 1 lc rgb '#e0e0e0'\nset key outside right top Left reverse "
      "samplen 2\nset border 3\nset tics "
      "nomirror\n";
  text += fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", quoted(plot.title), quoted(plot.x_label),
                      quoted(plot.y_label));
  text += plot.log_x ? "set logscale x\n" : "";
  std::string lines;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const Series& series = plot.series[i];
    const char* colour =
        kColours[static_cast<std::size_t>(series.colour.value_or(static_cast<int>(i))) % std::size(kColours)];
    const std::string source = fmt::format("{} skip 1 index {}", quoted(name + ".csv"), i);
    lines += lines.empty() ? "plot " : ", \\\n     ";
    if (!series.spread.empty())
      lines += fmt::format("{} using 2:3:4 with yerrorbars lw 1 pt 0 lc rgb '{}' notitle, \\\n     ", source, colour);
    lines += fmt::format("{} using 2:3 {} lc rgb '{}' title {}", source, style_text(series.style), colour,
                         quoted(series.name));
  }
  return text + lines + "\n";
}

// The exit status; or -1 with errno when the program could not be started.  Its output goes to stem.log.
int run_program(const std::string& program, const std::string& argument, const std::filesystem::path& folder,
                const std::string& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.empty() ? "." : folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::string name = program, script = argument;
  char* const arguments[] = {name.data(), script.data(), nullptr};
  pid_t child = 0;
  errno = posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (errno != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::string write_plot(const std::filesystem::path& stem, const Plot& plot, const std::string& gnuplot) {
  namespace fs = std::filesystem;
  const std::string name = stem.filename().native();
  check_plot(name, plot);
  const fs::path folder = stem.parent_path(), png = folder / (name + ".png"), log = folder / (name + ".log");
  atomic_write(folder / (name + ".csv"), csv_text(plot));
  atomic_write(folder / (name + ".gp"), script_text(name, name + ".png", plot));
  std::error_code ignored;
  fs::remove(png, ignored);  // never an old picture beside new numbers
  const int status = run_program(gnuplot, name + ".gp", folder, name + ".log");
  const int reason = errno;  // what comes next changes it
  if (status == 0) {
    fs::remove(log, ignored);
    return "";
  }
  fs::remove(png, ignored);
  if (status > 0) return "gnuplot failed on " + (folder / (name + ".gp")).native() + "; " + log.native() + " says why";
  return reason == ENOENT ? "gnuplot is not installed (package gnuplot-nox)"
                          : std::string("gnuplot cannot be started: ") + std::strerror(reason);
}

}  // namespace tobogan
