// Files are whole or absent, and a full disk is a sentence.
#include "engine/atomic_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>
#include <vector>

#include "engine/error.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace tobogan;
namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

// Runs `body` in a child process; the exit status, or -signal.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a file is replaced as a whole and nothing stays beside it") {
  TempFolder folder;
  const fs::path path = folder.path() / "a.txt";
  atomic_write(path, "old");
  CHECK(read_text(path) == "old");
  {
    AtomicFile file(path);
    file.write("half of the n");
    CHECK(read_text(path) == "old");
  }
  CHECK(read_text(path) == "old");
  AtomicFile file(path);
  file.write("new ");
  file.write("text");
  file.commit();
  CHECK(read_text(path) == "new text");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"a.txt"});
  CHECK_THROWS_AS(file.commit(), Error);
  CHECK_THROWS_AS(file.write("x"), Error);
}

TEST_CASE("bytes of any value and length survive, and an empty file is a file") {
  TempFolder folder;
  std::string bytes(3'000'001, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  atomic_write(folder.path() / "b", bytes);
  CHECK(read_text(folder.path() / "b") == bytes);
  atomic_write(folder.path() / "empty", "");
  CHECK(read_text(folder.path() / "empty").empty());
}

TEST_CASE("a killed writer leaves the old file") {
  TempFolder folder;
  const fs::path path = folder.path() / "a.txt";
  atomic_write(path, "old");
  CHECK(in_child([&] {
          AtomicFile file(path);
          file.write("new");
          raise(SIGKILL);
          return 0;
        }) == -SIGKILL);
  CHECK(read_text(path) == "old");
}

TEST_CASE("a full disk is one sentence that names the file, and the old file stays") {
  TempFolder folder;
  const fs::path path = folder.path() / "a.txt";
  atomic_write(path, "old");
  const int status = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string error = error_of([&] { atomic_write(path, std::string(5000, 'x')); });
    return error == "cannot write " + path.native() + ": File too large" ? 7 : 1;
  });
  CHECK(status == 7);
  CHECK(read_text(path) == "old");
  CHECK(names_in(folder.path()).size() == 1);
}

TEST_CASE("folders that are missing, files that are not there") {
  TempFolder folder;
  CHECK(error_of([&] { atomic_write(folder.path() / "none" / "a", "x"); }) ==
        "cannot create " + (folder.path() / "none" / "a").native() + ": No such file or directory");
  CHECK_THROWS_WITH(read_text(folder.path() / "none"), ContainsSubstring("none: No such file or directory"));
  CHECK_THROWS_WITH(read_text(folder.path()), ContainsSubstring("cannot read"));
  fs::create_directory(folder.path() / "d");
  CHECK_THROWS_WITH(atomic_write(folder.path() / "d", "x"), ContainsSubstring("Is a directory"));
  CHECK(names_in(folder.path()).size() == 1);
}

TEST_CASE("the permissions are those of the umask") {
  TempFolder folder;
  const mode_t before = umask(027);
  atomic_write(folder.path() / "a", "x");
  umask(before);
  CHECK((fs::status(folder.path() / "a").permissions() & fs::perms::mask) == static_cast<fs::perms>(0640));
}

TEST_CASE("many writers of one file: one of them wins, whole") {
  TempFolder folder;
  const fs::path path = folder.path() / "a";
  {
    std::vector<std::jthread> writers;
    for (char c = 'a'; c < 'e'; ++c)
      writers.emplace_back([&path, c] {
        for (int i = 0; i < 20; ++i) atomic_write(path, std::string(20000, c));
      });
  }
  const std::string text = read_text(path);
  CHECK(text == std::string(20000, text.at(0)));
  CHECK(names_in(folder.path()).size() == 1);
}
