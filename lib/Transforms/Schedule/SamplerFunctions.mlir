// Functions that Sampler.mlir calls. No op has fast-math flags: every result is
// the same everywhere.

// A number that orders as a logit does, the two zeros being one.
func.func private @key(%x: f32) -> i32 {
  %plus = arith.constant 0.0 : f32
  %sign = arith.constant 0x80000000 : i32
  %shift = arith.constant 31 : i32
  %canonical = arith.addf %x, %plus : f32
  %bits = arith.bitcast %canonical : f32 to i32
  %spread = arith.shrsi %bits, %shift : i32
  %flip = arith.ori %spread, %sign : i32
  %key = arith.xori %bits, %flip : i32
  return %key : i32
}

// Where the top k of the first n scores end (k = 0: all): the key of the last
// one, and how many with that very key belong to them.
func.func private @cut(%scores: memref<?xf32, strided<[1], offset: ?>>, %n: index, %top_k: i64) -> (i32, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %none = arith.constant 0 : i64
  %lowest = arith.constant 0 : i32
  %highest = arith.constant 0x80000000 : i32
  %n_i64 = arith.index_cast %n : index to i64
  %is_all = arith.cmpi eq, %top_k, %none : i64
  %is_more = arith.cmpi uge, %top_k, %n_i64 : i64
  %is_whole = arith.ori %is_all, %is_more : i1
  %end:2 = scf.if %is_whole -> (i32, index) {
    scf.yield %lowest, %c0 : i32, index
  } else {
    %k = arith.index_cast %top_k : i64 to index
    // The k-th largest key, bit by bit.
    %last = scf.for %round = %c0 to %c32 step %c1 iter_args(%t = %lowest) -> (i32) {
      %round32 = arith.index_cast %round : index to i32
      %bit = arith.shrui %highest, %round32 : i32
      %try = arith.ori %t, %bit : i32
      %reached = scf.for %j = %c0 to %n step %c1 iter_args(%sum = %c0) -> (index) {
        %x = memref.load %scores[%j] : memref<?xf32, strided<[1], offset: ?>>
        %key = func.call @key(%x) : (f32) -> i32
        %is_above = arith.cmpi uge, %key, %try : i32
        %step = arith.select %is_above, %c1, %c0 : index
        %next = arith.addi %sum, %step : index
        scf.yield %next : index
      }
      %is_enough = arith.cmpi sge, %reached, %k : index
      %now = arith.select %is_enough, %try, %t : i32
      scf.yield %now : i32
    }
    %greater = scf.for %j = %c0 to %n step %c1 iter_args(%sum = %c0) -> (index) {
      %x = memref.load %scores[%j] : memref<?xf32, strided<[1], offset: ?>>
      %key = func.call @key(%x) : (f32) -> i32
      %is_above = arith.cmpi ugt, %key, %last : i32
      %step = arith.select %is_above, %c1, %c0 : index
      %next = arith.addi %sum, %step : index
      scf.yield %next : index
    }
    %left = arith.subi %k, %greater : index
    scf.yield %last, %left : i32, index
  }
  return %end#0, %end#1 : i32, index
}

// Whether a score is of the top that ends at `last` with `left` more of its key;
// how many are left then. They are asked in order of ids.
func.func private @isTop(%x: f32, %last: i32, %left: index) -> (i1, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %key = func.call @key(%x) : (f32) -> i32
  %is_above = arith.cmpi ugt, %key, %last : i32
  %is_equal = arith.cmpi eq, %key, %last : i32
  %has_left = arith.cmpi sgt, %left, %c0 : index
  %is_tie = arith.andi %is_equal, %has_left : i1
  %is_top = arith.ori %is_above, %is_tie : i1
  %step = arith.select %is_tie, %c1, %c0 : index
  %now = arith.subi %left, %step : index
  return %is_top, %now : i1, index
}

// e^x for x <= 0, within a few units in the last place: 2^k * e^r with |r| of at
// most ln(2) / 2. ln(2) is in two parts, so that k times the first is exact.
func.func private @power(%x: f64) -> f64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c13 = arith.constant 13 : index
  %zero = arith.constant 0.0 : f64
  %one = arith.constant 1.0 : f64
  // Below the smallest denormal.
  %smallest = arith.constant -745.2 : f64
  %is_something = arith.cmpf ogt, %x, %smallest : f64
  %power = scf.if %is_something -> (f64) {
    %per_ln2 = arith.constant 0x3FF71547652B82FE : f64
    %ln2_high = arith.constant 0x3FE62E42FEE00000 : f64
    %ln2_low = arith.constant 0x3DEA39EF35793C76 : f64
    %half = arith.constant 0.5 : f64
    %scaled = arith.mulf %x, %per_ln2 : f64
    %moved = arith.subf %scaled, %half : f64
    %k = arith.fptosi %moved : f64 to i32
    %k_real = arith.sitofp %k : i32 to f64
    %high = arith.mulf %k_real, %ln2_high : f64
    %rest = arith.subf %x, %high : f64
    %low = arith.mulf %k_real, %ln2_low : f64
    %r = arith.subf %rest, %low : f64
    // The exponential series, as far as a double can tell.
    %degree = arith.constant 13.0 : f64
    %series:2 = scf.for %i = %c0 to %c13 step %c1 iter_args(%sum = %one, %d = %degree) -> (f64, f64) {
      %product = arith.mulf %sum, %r : f64
      %quotient = arith.divf %product, %d : f64
      %next = arith.addf %one, %quotient : f64
      %d_next = arith.subf %d, %one : f64
      scf.yield %next, %d_next : f64, f64
    }
    // In two steps where the result is denormal.
    %limit = arith.constant -1022 : i32
    %more = arith.constant 64 : i32
    %bias = arith.constant 1023 : i32
    %mantissa = arith.constant 52 : i64
    %tiny = arith.constant 0x3BF0000000000000 : f64
    %is_normal = arith.cmpi sge, %k, %limit : i32
    %raised = arith.addi %k, %more : i32
    %exponent = arith.select %is_normal, %k, %raised : i32
    %biased = arith.addi %exponent, %bias : i32
    %wide = arith.extui %biased : i32 to i64
    %pattern = arith.shli %wide, %mantissa : i64
    %factor = arith.bitcast %pattern : i64 to f64
    %normal = arith.mulf %series#0, %factor : f64
    %denormal = arith.mulf %normal, %tiny : f64
    %result = arith.select %is_normal, %normal, %denormal : f64
    scf.yield %result : f64
  } else {
    scf.yield %zero : f64
  }
  return %power : f64
}

// A bijection of numbers whose output bits depend on all input bits: the
// finalizer of SplitMix64.
func.func private @mix(%x: i64) -> i64 {
  %s30 = arith.constant 30 : i64
  %s27 = arith.constant 27 : i64
  %s31 = arith.constant 31 : i64
  %factor0 = arith.constant 0xBF58476D1CE4E5B9 : i64
  %factor1 = arith.constant 0x94D049BB133111EB : i64
  %a0 = arith.shrui %x, %s30 : i64
  %a1 = arith.xori %x, %a0 : i64
  %a2 = arith.muli %a1, %factor0 : i64
  %b0 = arith.shrui %a2, %s27 : i64
  %b1 = arith.xori %a2, %b0 : i64
  %b2 = arith.muli %b1, %factor1 : i64
  %c0 = arith.shrui %b2, %s31 : i64
  %c1 = arith.xori %b2, %c0 : i64
  return %c1 : i64
}

// The random number in [0, 1) of a seed and a position: a counter's hash. The
// seed is mixed first, so that near seeds give no shifted streams.
func.func private @random(%seed: i64, %position: i64) -> f64 {
  %golden = arith.constant 0x9E3779B97F4A7C15 : i64
  %i1 = arith.constant 1 : i64
  %s11 = arith.constant 11 : i64
  %ulp = arith.constant 0x3CA0000000000000 : f64
  %after = arith.addi %position, %i1 : i64
  %stride = arith.muli %golden, %after : i64
  %begun = arith.addi %seed, %golden : i64
  %mixed = func.call @mix(%begun) : (i64) -> i64
  %counted = arith.addi %mixed, %stride : i64
  %bits = func.call @mix(%counted) : (i64) -> i64
  %high = arith.shrui %bits, %s11 : i64
  %real = arith.sitofp %high : i64 to f64
  %random = arith.mulf %real, %ulp : f64
  return %random : f64
}
