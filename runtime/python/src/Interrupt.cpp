//===- Interrupt.cpp - Ctrl-C stops a run -*- C++ -*- ---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// ingot_cancel_request takes a lock, which a signal's handler must not do. So
// the handler posts a semaphore and a thread that waits for it cancels.
#include "Bindings.h"

#include <cerrno>
#include <csignal>
#include <mutex>
#include <semaphore.h>
#include <thread>
#include <unistd.h>
#include <utility>

using namespace ingot::python;

namespace {

/// The state of the only call that can be interrupted: the main thread's.
struct Watch {
  sem_t wake;
  std::mutex mutex;
  Cancel *running = nullptr;
  /// Whether a signal came while `running` runs, not earlier.
  std::atomic<bool> isInterrupted = false;
  struct sigaction previous = {};
  /// The process that the waiting thread belongs to: a fork has none.
  pid_t owner = 0;

  Watch() { sem_init(&wake, 0, 0); }

  void wait() {
    while (true) {
      if (sem_wait(&wake) != 0)
        continue;
      std::lock_guard lock(mutex);
      if (running && isInterrupted)
        ingot_cancel_request(running->get());
    }
  }
};

} // namespace

/// Never destroyed: its thread waits until the process ends. A fork makes a new
/// one, since the old one's mutex and thread are not its own.
static Watch *watch = nullptr;

static void onInterrupt(int number, siginfo_t *info, void *context) {
  int saved = errno;
  watch->isInterrupted = true;
  sem_post(&watch->wake);
  const struct sigaction &previous = watch->previous;
  if (previous.sa_flags & SA_SIGINFO)
    previous.sa_sigaction(number, info, context);
  else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
    previous.sa_handler(number);
  errno = saved;
}

static void startWatching() {
  if (watch && watch->owner == getpid())
    return;
  auto made = std::make_unique<Watch>();
  made->owner = getpid();
  // The new thread must take no signal: Python wants them in the main thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([state = made.get()] { state->wait(); }).detach();
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  watch = made.release();
}

InterruptScope::InterruptScope(const Limits &limits)
    : cancel(limits.cancel), isWatched(limits.isInterruptible) {
  if (!isWatched)
    return;
  startWatching();
  if (!cancel) {
    static Cancel *const mainThreads = new Cancel;
    cancel = mainThreads;
  }
  {
    std::lock_guard lock(watch->mutex);
    outer = std::exchange(watch->running, cancel);
    watch->isInterrupted = false;
  }
  if (outer)
    return;
  struct sigaction action = {};
  action.sa_sigaction = onInterrupt;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  // Asked first: the handler may run as soon as it is set.
  sigaction(SIGINT, nullptr, &watch->previous);
  sigaction(SIGINT, &action, nullptr);
}

InterruptScope::~InterruptScope() {
  if (!isWatched)
    return;
  if (!outer)
    sigaction(SIGINT, &watch->previous, nullptr);
  std::lock_guard lock(watch->mutex);
  watch->running = outer;
  cancel->forgetInterrupt();
}
