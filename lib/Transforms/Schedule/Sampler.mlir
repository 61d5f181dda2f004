// The program that chooses a token by logits, as runtime/c/ingot_generate.h
// says at ingot_sampling. mega-add-sampler takes it into a decoder's module and
// writes the functions of SamplerFunctions.mlir out where they are called.
//
// Three stages: each part of the vocabulary applies the penalty and finds its
// largest logit; each takes what may be of the top k and their powers of e; one
// tile puts the parts together. Sums are taken in order of ids by that tile
// alone, so that no number of workers changes a bit. Nothing here may be fused
// or reordered: no op has fast-math flags.
//
// Inputs: the logits, the ids that the penalty is about, four reals
// (temperature, top_p, min_p, repetition penalty) and four numbers (top_k, seed,
// position, how many of the ids there are: those behind are not looked at). Output: the token and 0; or what is wrong: the first bad id and 1
// (not a number) or 2 (infinite), or -1 and 3 (every logit is -infinity).
mega.program @sample(
    %logits: memref<?xf32> {ingot.role = "input", ingot.name = "logits"},
    %history: memref<?xi64> {ingot.role = "input", ingot.name = "history"},
    %reals: memref<4xf64> {ingot.role = "input", ingot.name = "reals"},
    %numbers: memref<4xi64> {ingot.role = "input", ingot.name = "numbers"},
    %token: memref<2xi64> {ingot.role = "output", ingot.name = "token"}) -> index {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %none = arith.constant -1 : index
  %false = arith.constant false
  %infinity = arith.constant 0x7F800000 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f64
  %one = arith.constant 1.0 : f64
  %i0 = arith.constant 0 : i64
  %i1 = arith.constant 1 : i64
  %v = memref.dim %logits, %c0 : memref<?xf32>
  %parts = affine.apply affine_map<()[v] -> (v ceildiv 4096)>()[%v]
  %scores = memref.alloc(%v) : memref<?xf32>
  %part_best = memref.alloc(%parts) : memref<?xf32>
  %part_id = memref.alloc(%parts) : memref<?xi64>
  %part_bad = memref.alloc(%parts) : memref<?xi64>

  // The penalty, and each part's largest logit.
  mega.stage {
    mega.tiles (%p) in (%parts) step (1) {
      %base = affine.apply affine_map<(p) -> (p * 4096)>(%p)
      %n = affine.min affine_map<(p)[v] -> (4096, v - p * 4096)>(%p)[%v]
      %from = mega.access read %logits[%base] [%n] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      %ids = mega.access read %history : memref<?xi64> to memref<?xi64>
      %real = mega.access read %reals : memref<4xf64> to memref<4xf64>
      %number = mega.access read %numbers : memref<4xi64> to memref<4xi64>
      %to = mega.access update %scores[%base] [%n] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      %best_to = mega.access write %part_best[%p] [1] [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
      %id_to = mega.access write %part_id[%p] [1] [1] : memref<?xi64> to memref<1xi64, strided<[1], offset: ?>>
      %bad_to = mega.access write %part_bad[%p] [1] [1] : memref<?xi64> to memref<1xi64, strided<[1], offset: ?>>
      linalg.copy ins(%from : memref<?xf32, strided<[1], offset: ?>>) outs(%to : memref<?xf32, strided<[1], offset: ?>>)
      %penalty = memref.load %real[%c3] : memref<4xf64>
      %has_penalty = arith.cmpf une, %penalty, %one : f64
      %seen = memref.alloc() : memref<4096xi8>
      scf.if %has_penalty {
        %no = arith.constant 0 : i8
        %yes = arith.constant 1 : i8
        scf.for %j = %c0 to %n step %c1 {
          memref.store %no, %seen[%j] : memref<4096xi8>
        }
        %room = memref.dim %ids, %c0 : memref<?xi64>
        %said_i64 = memref.load %number[%c3] : memref<4xi64>
        %said = arith.index_cast %said_i64 : i64 to index
        %count = arith.minsi %said, %room : index
        scf.for %h = %c0 to %count step %c1 {
          %id = memref.load %ids[%h] : memref<?xi64>
          %id_index = arith.index_cast %id : i64 to index
          %place = arith.subi %id_index, %base : index
          // Ids of other parts, and those that are no ids, are out of range.
          %is_here = arith.cmpi ult, %place, %n : index
          scf.if %is_here {
            %was_seen = memref.load %seen[%place] : memref<4096xi8>
            %is_new = arith.cmpi eq, %was_seen, %no : i8
            scf.if %is_new {
              memref.store %yes, %seen[%place] : memref<4096xi8>
              %x = memref.load %from[%place] : memref<?xf32, strided<[1], offset: ?>>
              %l = arith.extf %x : f32 to f64
              %is_positive = arith.cmpf ogt, %l, %zero : f64
              %quotient = arith.divf %l, %penalty : f64
              %product = arith.mulf %l, %penalty : f64
              %chosen = arith.select %is_positive, %quotient, %product : f64
              %rounded = arith.truncf %chosen : f64 to f32
              memref.store %rounded, %to[%place] : memref<?xf32, strided<[1], offset: ?>>
            }
          }
        }
      }
      %best:3 = scf.for %j = %c0 to %n step %c1 iter_args(%b = %lowest, %at = %c0, %bad = %none) -> (f32, index, index) {
        %x = memref.load %to[%j] : memref<?xf32, strided<[1], offset: ?>>
        %is_more = arith.cmpf ogt, %x, %b : f32
        %now:2 = scf.if %is_more -> (f32, index) {
          scf.yield %x, %j : f32, index
        } else {
          scf.yield %b, %at : f32, index
        }
        %is_bad = arith.cmpf uge, %x, %infinity : f32
        %bad_now = scf.if %is_bad -> (index) {
          %is_first = arith.cmpi eq, %bad, %none : index
          %first = arith.select %is_first, %j, %bad : index
          scf.yield %first : index
        } else {
          scf.yield %bad : index
        }
        scf.yield %now#0, %now#1, %bad_now : f32, index, index
      }
      linalg.fill ins(%best#0 : f32) outs(%best_to : memref<1xf32, strided<[1], offset: ?>>)
      %best_id = arith.addi %base, %best#1 : index
      %best_i64 = arith.index_cast %best_id : index to i64
      linalg.fill ins(%best_i64 : i64) outs(%id_to : memref<1xi64, strided<[1], offset: ?>>)
      %is_fine = arith.cmpi eq, %best#2, %none : index
      %bad_id = arith.addi %base, %best#2 : index
      %bad_or_none = arith.select %is_fine, %none, %bad_id : index
      %bad_i64 = arith.index_cast %bad_or_none : index to i64
      linalg.fill ins(%bad_i64 : i64) outs(%bad_to : memref<1xi64, strided<[1], offset: ?>>)
    }
  }

  %powers = memref.alloc(%v) : memref<?xf64>

  // What of each part may be of the top k: all else becomes -infinity.
  mega.stage {
    mega.tiles (%p) in (%parts) step (1) {
      %base = affine.apply affine_map<(p) -> (p * 4096)>(%p)
      %n = affine.min affine_map<(p)[v] -> (4096, v - p * 4096)>(%p)[%v]
      %score = mega.access update %scores[%base] [%n] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      %best = mega.access read %part_best : memref<?xf32> to memref<?xf32>
      %bad = mega.access read %part_bad : memref<?xi64> to memref<?xi64>
      %real = mega.access read %reals : memref<4xf64> to memref<4xf64>
      %number = mega.access read %numbers : memref<4xi64> to memref<4xi64>
      %power_to = mega.access write %powers[%base] [%n] [1] : memref<?xf64> to memref<?xf64, strided<[1], offset: ?>>
      linalg.fill ins(%zero : f64) outs(%power_to : memref<?xf64, strided<[1], offset: ?>>)
      %block_tops = memref.alloc() : memref<256xf32>
      %temperature = memref.load %real[%c0] : memref<4xf64>
      %is_greedy = arith.cmpf oeq, %temperature, %zero : f64
      %all:2 = scf.for %q = %c0 to %parts step %c1 iter_args(%m = %lowest, %fine = %i0) -> (f32, i64) {
        %x = memref.load %best[%q] : memref<?xf32>
        %is_more = arith.cmpf ogt, %x, %m : f32
        %m_now = arith.select %is_more, %x, %m : f32
        %y = memref.load %bad[%q] : memref<?xi64>
        %is_bad = arith.cmpi sge, %y, %i0 : i64
        %fine_now = arith.select %is_bad, %i1, %fine : i64
        scf.yield %m_now, %fine_now : f32, i64
      }
      %is_nothing = arith.cmpf oeq, %all#0, %lowest : f32
      %is_bad = arith.cmpi ne, %all#1, %i0 : i64
      %is_no_use = arith.ori %is_nothing, %is_bad : i1
      %is_skipped = arith.ori %is_no_use, %is_greedy : i1
      %is_used = arith.cmpi eq, %is_skipped, %false : i1
      scf.if %is_used {
        %top_k = memref.load %number[%c0] : memref<4xi64>
        // Of few it is enough to be no less than the last of as many largest of
        // blocks: hardly more are, and the last stage takes exactly the top k.
        %c16 = arith.constant 16 : index
        %blocks = arith.ceildivui %n, %c16 : index
        %blocks_i64 = arith.index_cast %blocks : index to i64
        %is_some = arith.cmpi ne, %top_k, %i0 : i64
        %is_few = arith.cmpi ule, %top_k, %blocks_i64 : i64
        %by_blocks = arith.andi %is_some, %is_few : i1
        %top:2 = scf.if %by_blocks -> (i32, index) {
          scf.for %block = %c0 to %blocks step %c1 {
            %from = arith.muli %block, %c16 : index
            %full = arith.addi %from, %c16 : index
            %to = arith.minsi %full, %n : index
            %block_best = scf.for %j = %from to %to step %c1 iter_args(%m = %lowest) -> (f32) {
              %x = memref.load %score[%j] : memref<?xf32, strided<[1], offset: ?>>
              %is_more = arith.cmpf ogt, %x, %m : f32
              %m_now = arith.select %is_more, %x, %m : f32
              scf.yield %m_now : f32
            }
            memref.store %block_best, %block_tops[%block] : memref<256xf32>
          }
          %tops = memref.cast %block_tops : memref<256xf32> to memref<?xf32, strided<[1], offset: ?>>
          %end:2 = func.call @cut(%tops, %blocks, %top_k) : (memref<?xf32, strided<[1], offset: ?>>, index, i64) -> (i32, index)
          scf.yield %end#0, %n : i32, index
        } else {
          %end:2 = func.call @cut(%score, %n, %top_k) : (memref<?xf32, strided<[1], offset: ?>>, index, i64) -> (i32, index)
          scf.yield %end#0, %end#1 : i32, index
        }
        %largest = arith.extf %all#0 : f32 to f64
        %ties = scf.for %j = %c0 to %n step %c1 iter_args(%left = %top#1) -> (index) {
          %x = memref.load %score[%j] : memref<?xf32, strided<[1], offset: ?>>
          %wanted:2 = func.call @isTop(%x, %top#0, %left) : (f32, i32, index) -> (i1, index)
          %is_allowed = arith.cmpf ogt, %x, %lowest : f32
          %is_taken = arith.andi %wanted#0, %is_allowed : i1
          scf.if %is_taken {
            %l = arith.extf %x : f32 to f64
            %below = arith.subf %l, %largest : f64
            %exponent = arith.divf %below, %temperature : f64
            %power = func.call @power(%exponent) : (f64) -> f64
            memref.store %power, %power_to[%j] : memref<?xf64, strided<[1], offset: ?>>
          } else {
            memref.store %lowest, %score[%j] : memref<?xf32, strided<[1], offset: ?>>
          }
          scf.yield %wanted#1 : index
        }
      }
    }
  }

  // The parts together.
  mega.stage {
    mega.tiles (%only) in (1) step (1) {
      %score = mega.access read %scores : memref<?xf32> to memref<?xf32>
      %best = mega.access read %part_best : memref<?xf32> to memref<?xf32>
      %best_id = mega.access read %part_id : memref<?xi64> to memref<?xi64>
      %bad = mega.access read %part_bad : memref<?xi64> to memref<?xi64>
      %power = mega.access read %powers : memref<?xf64> to memref<?xf64>
      %real = mega.access read %reals : memref<4xf64> to memref<4xf64>
      %number = mega.access read %numbers : memref<4xi64> to memref<4xi64>
      %id_to = mega.access write %token[0] [1] [1] : memref<2xi64> to memref<1xi64, strided<[1]>>
      %kind_to = mega.access write %token[1] [1] [1] : memref<2xi64> to memref<1xi64, strided<[1], offset: 1>>
      %ids = memref.alloc(%v) : memref<?xi64>
      %kept = memref.alloc(%v) : memref<?xf32>
      %share = memref.alloc(%v) : memref<?xf64>
      %heap = memref.alloc(%v) : memref<?xi32>
      %minus = arith.constant -1 : i64
      %all:3 = scf.for %p = %c0 to %parts step %c1 iter_args(%m = %lowest, %id = %i0, %first = %minus) -> (f32, i64, i64) {
        %x = memref.load %best[%p] : memref<?xf32>
        %x_id = memref.load %best_id[%p] : memref<?xi64>
        %is_more = arith.cmpf ogt, %x, %m : f32
        %m_now = arith.select %is_more, %x, %m : f32
        %id_now = arith.select %is_more, %x_id, %id : i64
        %y = memref.load %bad[%p] : memref<?xi64>
        %is_none = arith.cmpi slt, %first, %i0 : i64
        %first_now = arith.select %is_none, %y, %first : i64
        scf.yield %m_now, %id_now, %first_now : f32, i64, i64
      }
      %is_bad = arith.cmpi sge, %all#2, %i0 : i64
      %is_nothing = arith.cmpf oeq, %all#0, %lowest : f32
      %temperature = memref.load %real[%c0] : memref<4xf64>
      %is_greedy = arith.cmpf oeq, %temperature, %zero : f64
      %answer:2 = scf.if %is_bad -> (i64, i64) {
        %at = arith.index_cast %all#2 : i64 to index
        %x = memref.load %score[%at] : memref<?xf32>
        %is_nan = arith.cmpf uno, %x, %x : f32
        %i2 = arith.constant 2 : i64
        %kind = arith.select %is_nan, %i1, %i2 : i64
        scf.yield %all#2, %kind : i64, i64
      } else {
        %allowed:2 = scf.if %is_nothing -> (i64, i64) {
          %i3 = arith.constant 3 : i64
          scf.yield %minus, %i3 : i64, i64
        } else {
          %chosen = scf.if %is_greedy -> (i64) {
            scf.yield %all#1 : i64
          } else {
            // All candidates in a row, in order of ids.
            %gathered = scf.for %j = %c0 to %v step %c1 iter_args(%m = %c0) -> (index) {
              %x = memref.load %score[%j] : memref<?xf32>
              %is_one = arith.cmpf ogt, %x, %lowest : f32
              %next = scf.if %is_one -> (index) {
                %x_power = memref.load %power[%j] : memref<?xf64>
                %j_i64 = arith.index_cast %j : index to i64
                memref.store %j_i64, %ids[%m] : memref<?xi64>
                memref.store %x, %kept[%m] : memref<?xf32>
                memref.store %x_power, %share[%m] : memref<?xf64>
                %more = arith.addi %m, %c1 : index
                scf.yield %more : index
              } else {
                scf.yield %m : index
              }
              scf.yield %next : index
            }
            // The top k of them, as above.
            %top_k = memref.load %number[%c0] : memref<4xi64>
            %strided = memref.cast %kept : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
            %top:2 = func.call @cut(%strided, %gathered, %top_k) : (memref<?xf32, strided<[1], offset: ?>>, index, i64) -> (i32, index)
            %cut:2 = scf.for %j = %c0 to %gathered step %c1 iter_args(%c = %c0, %left = %top#1) -> (index, index) {
              %x = memref.load %kept[%j] : memref<?xf32>
              %wanted:2 = func.call @isTop(%x, %top#0, %left) : (f32, i32, index) -> (i1, index)
              %next = scf.if %wanted#0 -> (index) {
                %x_id = memref.load %ids[%j] : memref<?xi64>
                %x_power = memref.load %share[%j] : memref<?xf64>
                memref.store %x_id, %ids[%c] : memref<?xi64>
                memref.store %x_power, %share[%c] : memref<?xf64>
                %more = arith.addi %c, %c1 : index
                scf.yield %more : index
              } else {
                scf.yield %c : index
              }
              scf.yield %next, %wanted#1 : index, index
            }
            // Powers become probabilities.
            %sum = scf.for %j = %c0 to %cut#0 step %c1 iter_args(%s = %zero) -> (f64) {
              %x = memref.load %share[%j] : memref<?xf64>
              %next = arith.addf %s, %x : f64
              scf.yield %next : f64
            }
            scf.for %j = %c0 to %cut#0 step %c1 {
              %x = memref.load %share[%j] : memref<?xf64>
              %p = arith.divf %x, %sum : f64
              memref.store %p, %share[%j] : memref<?xf64>
            }
            // What is dropped from here on has the probability -1.
            %dropped = arith.constant -1.0 : f64
            %top_p = memref.load %real[%c1] : memref<4xf64>
            %has_top_p = arith.cmpf olt, %top_p, %one : f64
            scf.if %has_top_p {
              // A heap, the largest on top, is made and then taken down until
              // the sum is reached.
              scf.for %j = %c0 to %cut#0 step %c1 {
                %j32 = arith.index_cast %j : index to i32
                memref.store %j32, %heap[%j] : memref<?xi32>
              }
              %halved = arith.divui %cut#0, %c2 : index
              %start = arith.subi %halved, %c1 : index
              %end:5 = scf.while (%next = %start, %size = %cut#0, %s = %zero, %count = %c0, %last = %c0)
                  : (index, index, f64, index, index) -> (index, index, f64, index, index) {
                %is_making = arith.cmpi sge, %next, %c0 : index
                %is_short = arith.cmpf olt, %s, %top_p : f64
                %has_more = arith.cmpi slt, %count, %cut#0 : index
                %is_taking = arith.andi %is_short, %has_more : i1
                %goes_on = arith.ori %is_making, %is_taking : i1
                scf.condition(%goes_on) %next, %size, %s, %count, %last : index, index, f64, index, index
              } do {
              ^bb0(%next: index, %size: index, %s: f64, %count: index, %last: index):
                %is_making = arith.cmpi sge, %next, %c0 : index
                %now:6 = scf.if %is_making -> (index, index, index, f64, index, index) {
                  %before = arith.subi %next, %c1 : index
                  scf.yield %next, %before, %size, %s, %count, %last : index, index, index, f64, index, index
                } else {
                  %head32 = memref.load %heap[%c0] : memref<?xi32>
                  %head = arith.index_cast %head32 : i32 to index
                  %p = memref.load %share[%head] : memref<?xf64>
                  %s_now = arith.addf %s, %p : f64
                  %count_now = arith.addi %count, %c1 : index
                  %size_now = arith.subi %size, %c1 : index
                  %end32 = memref.load %heap[%size_now] : memref<?xi32>
                  memref.store %end32, %heap[%c0] : memref<?xi32>
                  scf.yield %c0, %next, %size_now, %s_now, %count_now, %head : index, index, index, f64, index, index
                }
                %sunk = scf.while (%i = %now#0) : (index) -> (index) {
                  %doubled = arith.muli %i, %c2 : index
                  %left = arith.addi %doubled, %c1 : index
                  %right = arith.addi %doubled, %c2 : index
                  %has_left = arith.cmpi slt, %left, %now#2 : index
                  %swap:2 = scf.if %has_left -> (i1, index) {
                    %left32 = memref.load %heap[%left] : memref<?xi32>
                    %left_at = arith.index_cast %left32 : i32 to index
                    %left_p = memref.load %share[%left_at] : memref<?xf64>
                    %has_right = arith.cmpi slt, %right, %now#2 : index
                    %child:3 = scf.if %has_right -> (index, index, f64) {
                      %right32 = memref.load %heap[%right] : memref<?xi32>
                      %right_at = arith.index_cast %right32 : i32 to index
                      %right_p = memref.load %share[%right_at] : memref<?xf64>
                      %is_larger = arith.cmpf ogt, %right_p, %left_p : f64
                      %is_same = arith.cmpf oeq, %right_p, %left_p : f64
                      %is_lower = arith.cmpi ult, %right_at, %left_at : index
                      %is_tie = arith.andi %is_same, %is_lower : i1
                      %is_right = arith.ori %is_larger, %is_tie : i1
                      %place = arith.select %is_right, %right, %left : index
                      %at = arith.select %is_right, %right_at, %left_at : index
                      %p = arith.select %is_right, %right_p, %left_p : f64
                      scf.yield %place, %at, %p : index, index, f64
                    } else {
                      scf.yield %left, %left_at, %left_p : index, index, f64
                    }
                    %own32 = memref.load %heap[%i] : memref<?xi32>
                    %own_at = arith.index_cast %own32 : i32 to index
                    %own_p = memref.load %share[%own_at] : memref<?xf64>
                    %is_larger = arith.cmpf ogt, %child#2, %own_p : f64
                    %is_same = arith.cmpf oeq, %child#2, %own_p : f64
                    %is_lower = arith.cmpi ult, %child#1, %own_at : index
                    %is_tie = arith.andi %is_same, %is_lower : i1
                    %is_before = arith.ori %is_larger, %is_tie : i1
                    scf.if %is_before {
                      %child32 = memref.load %heap[%child#0] : memref<?xi32>
                      memref.store %child32, %heap[%i] : memref<?xi32>
                      memref.store %own32, %heap[%child#0] : memref<?xi32>
                    }
                    scf.yield %is_before, %child#0 : i1, index
                  } else {
                    scf.yield %false, %i : i1, index
                  }
                  scf.condition(%swap#0) %swap#1 : index
                } do {
                ^bb0(%i: index):
                  scf.yield %i : index
                }
                scf.yield %now#1, %now#2, %now#3, %now#4, %now#5 : index, index, f64, index, index
              }
              // What comes after the last one taken is dropped.
              %last_p = memref.load %share[%end#4] : memref<?xf64>
              scf.for %j = %c0 to %cut#0 step %c1 {
                %p = memref.load %share[%j] : memref<?xf64>
                %is_less = arith.cmpf olt, %p, %last_p : f64
                %is_same = arith.cmpf oeq, %p, %last_p : f64
                %is_behind = arith.cmpi ugt, %j, %end#4 : index
                %is_tie = arith.andi %is_same, %is_behind : i1
                %is_dropped = arith.ori %is_less, %is_tie : i1
                scf.if %is_dropped {
                  memref.store %dropped, %share[%j] : memref<?xf64>
                }
              }
            }
            %min_p = memref.load %real[%c2] : memref<4xf64>
            %has_min_p = arith.cmpf ogt, %min_p, %zero : f64
            scf.if %has_min_p {
              %largest = scf.for %j = %c0 to %cut#0 step %c1 iter_args(%m = %zero) -> (f64) {
                %p = memref.load %share[%j] : memref<?xf64>
                %is_more = arith.cmpf ogt, %p, %m : f64
                %m_now = arith.select %is_more, %p, %m : f64
                scf.yield %m_now : f64
              }
              %least = arith.mulf %min_p, %largest : f64
              scf.for %j = %c0 to %cut#0 step %c1 {
                %p = memref.load %share[%j] : memref<?xf64>
                %is_less = arith.cmpf olt, %p, %least : f64
                scf.if %is_less {
                  memref.store %dropped, %share[%j] : memref<?xf64>
                }
              }
            }
            %total = scf.for %j = %c0 to %cut#0 step %c1 iter_args(%s = %zero) -> (f64) {
              %p = memref.load %share[%j] : memref<?xf64>
              %is_left = arith.cmpf oge, %p, %zero : f64
              %next = arith.addf %s, %p : f64
              %s_now = arith.select %is_left, %next, %s : f64
              scf.yield %s_now : f64
            }
            %seed = memref.load %number[%c1] : memref<4xi64>
            %position = memref.load %number[%c2] : memref<4xi64>
            %random = func.call @random(%seed, %position) : (i64, i64) -> f64
            %goal = arith.mulf %random, %total : f64
            // The first whose running sum exceeds it; the last one left where
            // rounding has made the goal the total.
            %drawn:3 = scf.while (%j = %c0, %s = %zero, %found = %c0) : (index, f64, index) -> (index, f64, index) {
              %has_more = arith.cmpi slt, %j, %cut#0 : index
              %is_short = arith.cmpf ole, %s, %goal : f64
              %goes_on = arith.andi %has_more, %is_short : i1
              scf.condition(%goes_on) %j, %s, %found : index, f64, index
            } do {
            ^bb0(%j: index, %s: f64, %found: index):
              %p = memref.load %share[%j] : memref<?xf64>
              %is_left = arith.cmpf oge, %p, %zero : f64
              %next = arith.addf %s, %p : f64
              %s_now = arith.select %is_left, %next, %s : f64
              %found_now = arith.select %is_left, %j, %found : index
              %j_now = arith.addi %j, %c1 : index
              scf.yield %j_now, %s_now, %found_now : index, f64, index
            }
            %id = memref.load %ids[%drawn#2] : memref<?xi64>
            scf.yield %id : i64
          }
          scf.yield %chosen, %i0 : i64, i64
        }
        scf.yield %allowed#0, %allowed#1 : i64, i64
      }
      linalg.fill ins(%answer#0 : i64) outs(%id_to : memref<1xi64, strided<[1]>>)
      linalg.fill ins(%answer#1 : i64) outs(%kind_to : memref<1xi64, strided<[1], offset: 1>>)
    }
  }
  mega.return %c2 : index
}
