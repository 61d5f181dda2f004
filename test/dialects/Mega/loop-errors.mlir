// RUN: ingot-opt %s --split-input-file --verify-diagnostics

mega.program @never() {
  // expected-error @below {{runs 0 times, expected 1 or more}}
  mega.loop %i = 0 to 0 {
    mega.stage {
      mega.tiles (%j) in (1) step (1) {
      }
    }
  }
  mega.return
}

// -----

mega.program @below_zero() {
  // expected-error @below {{runs -3 times, expected 1 or more}}
  mega.loop %i = 0 to -3 {
    mega.stage {
      mega.tiles (%j) in (1) step (1) {
      }
    }
  }
  mega.return
}

// -----

mega.program @begin() {
  // expected-error @below {{a loop counts from 0}}
  mega.loop %i = 1 to 3 {
  }
  mega.return
}

// -----

mega.program @empty() {
  // expected-error @below {{has nothing to repeat}}
  mega.loop %i = 0 to 3 {
  }
  mega.return
}

// -----

mega.program @nested() {
  mega.loop %i = 0 to 3 {
    // expected-error @below {{expects parent op 'mega.program'}}
    mega.loop %j = 0 to 3 {
      mega.stage {
        mega.tiles (%k) in (1) step (1) {
        }
      }
    }
  }
  mega.return
}

// -----

mega.program @generic() {
  // expected-error @below {{expected one number as the argument of its body}}
  "mega.loop"() <{count = 2 : i64}> ({
  ^bb0(%i: index, %j: index):
    mega.stage {
      mega.tiles (%k) in (1) step (1) {
      }
    }
  }) : () -> ()
  mega.return
}
