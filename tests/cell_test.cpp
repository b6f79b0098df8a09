// A cell is computed once: results are found again, by the right configuration only, and damage is noticed.
#include "experiments/run/cell.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "engine/atomic_file.h"
#include "engine/error.h"
#include "experiments/run/cell_store.h"
#include "experiments/run/scheduler.h"
#include "tests/support/catch.h"
#include "tests/support/quiet.h"
#include "tests/support/temp_folder.h"

using namespace tobogan;
namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

namespace {

const Study kStudy{.name = "test", .version = 1, .data = "synthetic", .synthetic_data = true};

// A cell that counts how often it was really run.
Cell counting(int& runs, const std::string& name = "one", nlohmann::json config = {{"n", 3}}) {
  return {.name = name, .config = config, .run = [&runs](CellRun& run) {
            ++runs;
            atomic_write(run.folder() / "artefact", "made");
            return nlohmann::json{{"value", 0.1 + runs}};
          }};
}

RunOptions options_for(const TempFolder& folder) {
  return {.experiment = "test", .threads = 1, .out = folder.path(), .arguments = {"test"}};
}

Outcome run(const RunOptions& options, std::vector<Cell> cells, const Study& study = kStudy) {
  const Quiet quiet;
  return run_cells(study, options, std::move(cells));
}

fs::path result_file(const Outcome& outcome, const std::string& cell = "one") {
  return outcome.finished.at(cell).folder / "result.json";
}

}  // namespace

TEST_CASE("a finished cell is not run again and its result is the same to the last bit") {
  TempFolder folder;
  int runs = 0;
  const Outcome first = run(options_for(folder), {counting(runs)});
  const Outcome second = run(options_for(folder), {counting(runs)});
  CHECK(runs == 1);
  CHECK(first.exit_status() == 0);
  CHECK(first.result("one")->at("value").get<double>() == second.result("one")->at("value").get<double>());
  CHECK(second.result("one")->at("value").get<double>() == 0.1 + 1);
  CHECK(read_text(second.finished.at("one").folder / "artefact") == "made");
  CHECK(second.result("two") == nullptr);
}

TEST_CASE("whatever the result depends on makes a new cell") {
  TempFolder folder;
  int runs = 0;
  run(options_for(folder), {counting(runs)});
  Study study = kStudy;
  RunOptions options = options_for(folder);
  Cell cell = counting(runs);
  SECTION("configuration") {
    cell.config["n"] = 4;
  }
  SECTION("version") {
    study.version = 2;
  }
  SECTION("experiment") {
    study.name = "other";
  }
  SECTION("profile") {
    options.profile = Profile::standard;
  }
  SECTION("device") {
    options.device = "cuda";
  }
  SECTION("name") {
    cell.name = "two";
  }
  run(options, {cell}, study);
  CHECK(runs == 2);
}

TEST_CASE("what changes nothing finds the old result") {
  TempFolder folder;
  int runs = 0;
  run(options_for(folder), {counting(runs, "one", {{"a", 1}, {"b", 2.5}})});
  RunOptions options = options_for(folder);
  options.threads = 7;
  options.jobs = 3;
  options.data = "elsewhere";
  options.checkpoint_minutes = 0;
  Study study = kStudy;
  study.data = "MNIST";  // words for the reader: what tells images apart is in the configuration
  run(options, {counting(runs, "one", nlohmann::json::parse(R"({"b": 2.50, "a": 1})"))}, study);
  CHECK(runs == 1);
}

TEST_CASE("a cell is new when a cell it needs is") {
  TempFolder folder;
  int below = 0, above = 0;
  Cell user = counting(above, "user");
  user.needs = {"base"};
  run(options_for(folder), {counting(below, "base"), user});
  run(options_for(folder), {counting(below, "base"), user});
  CHECK(above == 1);
  run(options_for(folder), {counting(below, "base", {{"n", 4}}), user});
  CHECK(below == 2);
  CHECK(above == 2);
}

TEST_CASE("a damaged result is named and computed again") {
  TempFolder folder;
  int runs = 0;
  const fs::path file = result_file(run(options_for(folder), {counting(runs)}));
  const std::string good = read_text(file);
  std::string bad, reason;
  SECTION("cut off") {
    bad = good.substr(0, good.size() / 2);
    reason = "it is not JSON";
  }
  SECTION("empty") {
    reason = "it is not JSON";
  }
  SECTION("a digit flipped") {
    bad = good;
    bad[bad.find("1.1")] = '7';
    reason = "its checksum is wrong";
  }
  SECTION("of another configuration") {
    nlohmann::json json = nlohmann::json::parse(good);
    json["identity"]["config"]["n"] = 5;
    bad = json.dump();
    reason = "it is the result of another configuration";
  }
  SECTION("another program's") {
    bad = "[1, 2]";
    reason = "a field is missing";
  }
  atomic_write(file, bad);
  const Quiet quiet;
  const Outcome outcome = run_cells(kStudy, options_for(folder), {counting(runs)});
  CHECK(runs == 2);
  CHECK_THAT(quiet.err(), ContainsSubstring("warning: " + file.native() + " is damaged and not used: " + reason));
  CHECK(outcome.exit_status() == 0);
  CHECK(nlohmann::json::parse(read_text(file)).at("result").at("value").get<double>() == 0.1 + 2);
}

TEST_CASE("numbers without a JSON form are null at once, not only when read again") {
  TempFolder folder;
  const Cell cell{.name = "nan", .config = {}, .run = [](CellRun&) {
                    return nlohmann::json{{"loss", std::nan("")}, {"top", std::numeric_limits<double>::infinity()}};
                  }};
  for (int i = 0; i < 2; ++i)
    CHECK(*run(options_for(folder), {cell}).result("nan") == nlohmann::json{{"loss", nullptr}, {"top", nullptr}});
}

TEST_CASE("--no-resume starts the selected cells over, checkpoints and artefacts included, and spares the others") {
  TempFolder folder;
  int one = 0, two = 0;
  bool clean = false;
  run(options_for(folder), {counting(one), counting(two, "two")});
  RunOptions options = options_for(folder);
  options.resume = false;
  options.cells = "one";
  Cell again{.name = "one", .config = {{"n", 3}}, .run = [&](CellRun& run) {
               ++one;
               clean = !fs::exists(run.folder() / "artefact");
               return nlohmann::json(1);
             }};
  const Outcome outcome = run(options, {again, counting(two, "two")});
  CHECK(one == 2);
  CHECK(clean);
  CHECK(two == 1);
  CHECK(outcome.finished.size() == 2);
}

TEST_CASE("--no-resume that is interrupted leaves no old results among the new, and spares what a cell needs") {
  TempFolder folder;
  int need = 0, one = 0, two = 0;
  Cell user = counting(one);
  user.needs = {"need"};
  const std::vector<Cell> cells = {counting(need, "need"), user, counting(two, "two")};
  // The need is half done: its checkpoint belongs to nobody who asked for "one" and "two".
  RunOptions options = options_for(folder);
  const CellStore store(kStudy, options, cells);
  run(options, cells);
  fs::remove(store.folder(cells[0]) / "result.json");
  atomic_write(store.folder(cells[0]) / "checkpoint", "hours of work");

  options.resume = false;
  options.cells = "*o*";  // one, two
  options.max_minutes = 0;
  const Outcome stopped = run(options, cells);
  CHECK(stopped.finished.empty());
  CHECK(stopped.exit_status() == kTimeUp);
  CHECK(read_text(store.folder(cells[0]) / "checkpoint") == "hours of work");
  CHECK_FALSE(fs::exists(store.folder(cells[1]) / "result.json"));
  CHECK_FALSE(fs::exists(store.folder(cells[2]) / "result.json"));

  const Outcome finished = run(options_for(folder), cells);
  CHECK(finished.finished.size() == 3);
  CHECK(one == 2);
  CHECK(two == 2);
}

TEST_CASE("a cell that starts over does not take the result of a merged folder") {
  TempFolder folder, other;
  int runs = 0;
  run(options_for(other), {counting(runs)});
  RunOptions options = options_for(folder);
  options.merge = {other.path()};
  run(options, {counting(runs)});
  CHECK(runs == 1);
  options.resume = false;
  run(options, {counting(runs)});
  CHECK(runs == 2);
}

TEST_CASE("a checkpoint that does not load is named, with the way out") {
  TempFolder folder;
  const Cell cell{.name = "one", .config = {}, .run = [](CellRun& run) {
                    run.resume([](const fs::path&) { throw Error("it has no \"model.x\""); });
                    return nlohmann::json(1);
                  }};
  const RunOptions options = options_for(folder);
  const CellStore store(kStudy, options, {cell});
  fs::create_directories(store.folder(cell));
  const fs::path checkpoint = store.folder(cell) / "checkpoint";
  atomic_write(checkpoint, "state");
  CHECK(run(options, {cell}).failed.at("one") ==
        "cannot go on from " + checkpoint.native() +
            ": it has no \"model.x\"; delete this file and the cell starts over");
  fs::remove(checkpoint);
  CHECK(run(options, {cell}).failed.empty());
}

TEST_CASE("only the name of a file says that a killed writer left it, not the folder's") {
  TempFolder folder;
  RunOptions options = options_for(folder);
  options.out = folder.path() / "run.tmp-42";
  int runs = 0;
  bool kept = false;
  Cell cell = counting(runs);
  cell.run = [&](CellRun& run) {
    kept = run.has_checkpoint();
    return nlohmann::json(1);
  };
  const CellStore store(kStudy, options, {cell});
  fs::create_directories(store.folder(cell));
  atomic_write(store.folder(cell) / "checkpoint", "state");
  run(options, {cell});
  CHECK(kept);
}

TEST_CASE("tick saves at every interval, and saves and throws when asked to stop") {
  TempFolder folder;
  RunOptions options = options_for(folder);
  options.checkpoint_minutes = 0;
  bool stop = false;
  std::int64_t seen = 0;
  CellRun cell(options, {.folder = folder.path(),
                         .stop_requested = [&] { return stop; },
                         .progress = [&](std::int64_t done, std::int64_t, const std::string&) { seen = done; }});
  int saves = 0;
  const auto save = [&] { ++saves; };
  cell.tick(1, 10, save);
  CHECK(seen == 1);
  CHECK(saves == 1);
  stop = true;
  CHECK_THROWS_AS(cell.tick(2, 10, save), Interrupted);
  CHECK(saves == 2);
  options.checkpoint_minutes = 1000;
  stop = false;
  cell.tick(3, 10, save);
  CHECK(saves == 2);
}

TEST_CASE("a checkpoint that cannot be written is an error, not an interruption") {
  TempFolder folder;
  RunOptions options = options_for(folder);
  CellRun cell(options, {.folder = folder.path(), .stop_requested = [] { return true; }});
  CHECK_THROWS_AS(cell.tick(1, 2, [] { throw Error("cannot write x: No space left on device"); }), Error);
}

TEST_CASE("the seconds of an interrupted run are counted, and the checkpoint goes when the cell is done") {
  TempFolder folder;
  const RunOptions options = options_for(folder);
  int runs = 0;
  const Cell cell = counting(runs);
  const CellStore store(kStudy, options, {cell});
  fs::create_directories(store.folder(cell));
  atomic_write(store.folder(cell) / "checkpoint", "state");
  atomic_write(store.folder(cell) / "checkpoint.seconds", "1000");
  atomic_write(store.folder(cell) / "half.idx.tmp-123-0", "left by a killed writer");
  const Outcome outcome = run(options, {cell});
  CHECK(outcome.finished.at("one").seconds > 999);
  CHECK_FALSE(fs::exists(store.folder(cell) / "checkpoint"));
  CHECK_FALSE(fs::exists(store.folder(cell) / "checkpoint.seconds"));
  CHECK_FALSE(fs::exists(store.folder(cell) / "half.idx.tmp-123-0"));
  CHECK(fs::exists(store.folder(cell) / "artefact"));
}

TEST_CASE("a cell is locked against this process, other processes, and freed by death") {
  TempFolder folder;
  const RunOptions options = options_for(folder);
  int runs = 0;
  const Cell cell = counting(runs), other = counting(runs, "other");
  const CellStore store(kStudy, options, {cell, other});
  {
    const auto lock = store.try_lock(cell);
    REQUIRE(lock);
    CHECK_FALSE(store.try_lock(cell));
    CHECK(store.try_lock(other));
  }
  CHECK(store.try_lock(cell));

  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = store.try_lock(cell);
    const char answer = lock ? 'y' : 'n';
    if (write(ready[1], &answer, 1) != 1) _exit(1);
    while (true) pause();
  }
  char answer = 0;
  REQUIRE(read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK_FALSE(store.try_lock(cell));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK(store.try_lock(cell));
}

TEST_CASE("a full disk fails the cell with the file's name and keeps the checkpoint") {
  TempFolder folder;
  const RunOptions options = options_for(folder);
  const Cell cell{.name = "one", .config = {}, .run = [](CellRun& run) {
                    if (!run.has_checkpoint()) atomic_write(run.checkpoint(), "state");
                    signal(SIGXFSZ, SIG_IGN);
                    const rlimit limit{2000, 2000};
                    setrlimit(RLIMIT_FSIZE, &limit);
                    return nlohmann::json(std::string(5000, 'x'));
                  }};
  const CellStore store(kStudy, options, {cell});
  const pid_t child = fork();
  if (child == 0) {
    const Quiet quiet;
    const Outcome outcome = run_cells(kStudy, options, {cell});
    const std::string expected = "cannot write " + (store.folder(cell) / "result.json").native() + ": File too large";
    _exit(outcome.failed.at("one") == expected && outcome.exit_status() == 1 ? 7 : 8);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(fs::exists(store.folder(cell) / "checkpoint"));
  CHECK_FALSE(fs::exists(store.folder(cell) / "result.json"));
}

TEST_CASE("a folder that cannot be made is one sentence before anything runs") {
  TempFolder folder;
  int runs = 0;
  atomic_write(folder.path() / "file", "not a folder");
  RunOptions options = options_for(folder);
  options.out = folder.path() / "file" / "results";
  CHECK_THROWS_WITH(run(options, {counting(runs)}),
                    ContainsSubstring("cannot create the folder " + options.out.native() + "/cells: "));
  CHECK(runs == 0);
}

TEST_CASE("names, needs and circles are checked before anything runs") {
  TempFolder folder;
  const RunOptions options = options_for(folder);
  int runs = 0;
  const auto needing = [&](const std::string& name, std::vector<std::string> needs) {
    Cell cell = counting(runs, name);
    cell.needs = std::move(needs);
    return cell;
  };
  CHECK_THROWS_WITH(run(options, {counting(runs), counting(runs)}), "two cells are called one");
  for (const char* name : {"", "a/b", "..", ".hidden", "a b", "a;b", "a*"})
    CHECK_THROWS_WITH(run(options, {counting(runs, name)}), ContainsSubstring("a cell's name is"));
  CHECK_THROWS_WITH(run(options, {needing("a", {"z"})}), "cell a needs z, which is no cell of this experiment");
  CHECK_THROWS_WITH(run(options, {needing("a", {"b"}), needing("b", {"c"}), needing("c", {"b"})}),
                    "cells need each other in a circle: b needs c needs b");
  CHECK_THROWS_WITH(run(options, {needing("a", {"a"})}), "cells need each other in a circle: a needs a");
  CHECK(runs == 0);
}

TEST_CASE("a cell reads only what it needs") {
  TempFolder folder;
  int runs = 0;
  Cell reader{.name = "reader", .config = {}, .run = [](CellRun& run) { return run.need("one").result; }};
  const Outcome outcome = run(options_for(folder), {counting(runs), reader});
  CHECK(outcome.failed.at("reader") == "a cell reads one, which is not among its needs");
}

TEST_CASE("the hash is FNV-1a") {
  CHECK(fnv1a_hex("") == "cbf29ce484222325");
  CHECK(fnv1a_hex("a") == "af63dc4c8601ec8c");
  CHECK(fnv1a_hex("foobar") == "85944171f73967e8");
}
