//===- Isolation.cpp - cases in processes of their own --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/check/Isolation.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ingot::cli;
namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;

static volatile sig_atomic_t interrupted = 0;

namespace {

/// A running case.
struct Child {
  size_t index;
  pid_t pid;
  int pipe;
  Clock::time_point deadline;
  bool overdue = false;
  std::string received;
  fs::path scratch;
};

/// Makes interruption end the loop, so that scratch files are removed.
class InterruptGuard {
public:
  InterruptGuard() {
    struct sigaction action{};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &action, &oldInt);
    sigaction(SIGTERM, &action, &oldTerm);
  }
  ~InterruptGuard() {
    sigaction(SIGINT, &oldInt, nullptr);
    sigaction(SIGTERM, &oldTerm, nullptr);
  }

private:
  struct sigaction oldInt{}, oldTerm{};
};

class Runner {
public:
  Runner(size_t count, const IsolationOptions &options,
         const std::function<CaseResult(size_t, const std::string &)> &work,
         const std::function<void(size_t, const CaseResult &)> &done)
      : count(count), options(options), work(work), done(done) {
    std::string name =
        (fs::temp_directory_path() / "ingot-check-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw Error(name + ": " + std::strerror(errno));
    scratch = name;
  }
  ~Runner() {
    for (const Child &child : children) {
      kill(-child.pid, SIGKILL);
      waitpid(child.pid, nullptr, 0);
      close(child.pipe);
    }
    std::error_code ignored;
    fs::remove_all(scratch, ignored);
  }

  bool run() {
    InterruptGuard guard;
    size_t next = 0;
    while (next < count || !children.empty()) {
      if (interrupted)
        return false;
      while (next < count && children.size() < size_t(options.jobs))
        start(next++);
      waitForNews();
    }
    return true;
  }

private:
  void start(size_t index);
  [[noreturn]] void inChild(size_t index, int pipe, const fs::path &folder);
  void waitForNews();
  bool receive(Child &child);
  void finish(Child &child);
  void report(size_t index, CaseResult result);

  size_t count;
  const IsolationOptions &options;
  const std::function<CaseResult(size_t, const std::string &)> &work;
  const std::function<void(size_t, const CaseResult &)> &done;
  fs::path scratch;
  std::vector<Child> children;
  /// Results that wait for earlier cases.
  std::map<size_t, CaseResult> waiting;
  size_t reported = 0;
};

} // namespace

void Runner::start(size_t index) {
  fs::path folder = scratch / std::to_string(index);
  fs::create_directory(folder);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw Error(std::string("no pipe: ") + std::strerror(errno));
  // What is buffered would be written by the child too.
  std::fflush(nullptr);
  pid_t parent = getpid(), pid = fork();
  if (pid < 0)
    throw Error(std::string("no process: ") + std::strerror(errno));
  if (pid == 0) {
    close(ends[0]);
    // The child dies with us, whatever ends us.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(1);
    inChild(index, ends[1], folder);
  }
  setpgid(pid, pid);
  close(ends[1]);
  auto limit = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(options.timeLimit));
  children.push_back(
      {index, pid, ends[0], Clock::now() + limit, false, "", folder});
}

void Runner::inChild(size_t index, int pipe, const fs::path &folder) {
  setpgid(0, 0);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  int log = open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log >= 0) {
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
  }
  std::string text = encode(work(index, folder.string()));
  size_t sent = 0;
  while (sent < text.size()) {
    ssize_t some = write(pipe, text.data() + sent, text.size() - sent);
    if (some <= 0 && errno != EINTR)
      break;
    sent += size_t(std::max<ssize_t>(some, 0));
  }
  // Not exit: other libraries' destructors are the parent's.
  _exit(0);
}

void Runner::waitForNews() {
  std::vector<pollfd> polled;
  Clock::time_point first = Clock::time_point::max();
  for (const Child &child : children) {
    polled.push_back({child.pipe, POLLIN, 0});
    if (!child.overdue)
      first = std::min(first, child.deadline);
  }
  int timeout = -1;
  if (first != Clock::time_point::max())
    timeout = int(std::clamp<int64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(first -
                                                              Clock::now())
                .count() +
            1,
        0, 60000));
  if (poll(polled.data(), polled.size(), timeout) < 0)
    return; // interrupted
  std::vector<Child> left;
  std::vector<Child> ended;
  for (size_t i = 0; i < children.size(); ++i) {
    Child &child = children[i];
    if (!child.overdue && Clock::now() >= child.deadline) {
      child.overdue = true;
      kill(-child.pid, SIGKILL);
    }
    bool over = polled[i].revents != 0 && !receive(child);
    (over ? ended : left).push_back(std::move(child));
  }
  children = std::move(left);
  for (Child &child : ended)
    finish(child);
}

/// False at the end of what the child sends.
bool Runner::receive(Child &child) {
  char buffer[4096];
  ssize_t got = read(child.pipe, buffer, sizeof buffer);
  if (got > 0)
    child.received.append(buffer, size_t(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

/// The last line of a file that has something to say.
static std::string lastLine(const fs::path &path) {
  std::string text, line;
  try {
    for (std::byte byte : readFile(path.string()))
      text += char(byte);
  } catch (const Error &) {
    return "";
  }
  while (!text.empty() &&
         line.find_first_not_of(" \t\r") == std::string::npos) {
    size_t cut = text.find_last_of('\n');
    line = cut == std::string::npos ? text : text.substr(cut + 1);
    text.resize(cut == std::string::npos ? 0 : cut);
  }
  return line.substr(0, 300);
}

void Runner::finish(Child &child) {
  close(child.pipe);
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
    continue;
  CaseResult result;
  auto failed = [&](const std::string &how) {
    std::string line = lastLine(child.scratch / "log");
    result = {};
    result.reason = how + (line.empty() ? "" : ": " + line);
  };
  if (child.overdue) {
    char text[64];
    std::snprintf(text, sizeof text, "took longer than %g s",
                  options.timeLimit);
    failed(text);
  } else if (WIFSIGNALED(status)) {
    failed(std::string("crashed (") + strsignal(WTERMSIG(status)) + ")");
  } else if (WEXITSTATUS(status) != 0) {
    failed("ended with status " + std::to_string(WEXITSTATUS(status)));
  } else {
    try {
      result = decode(child.received);
    } catch (const Error &error) {
      failed(error.what());
    }
  }
  std::error_code ignored;
  fs::remove_all(child.scratch, ignored);
  report(child.index, std::move(result));
}

void Runner::report(size_t index, CaseResult result) {
  waiting.emplace(index, std::move(result));
  for (auto it = waiting.find(reported); it != waiting.end();
       it = waiting.find(++reported)) {
    done(it->first, it->second);
    waiting.erase(it);
  }
}

bool ingot::cli::runIsolated(
    size_t count, const IsolationOptions &options,
    const std::function<CaseResult(size_t, const std::string &)> &work,
    const std::function<void(size_t, const CaseResult &)> &done) {
  return Runner(count, options, work, done).run();
}
