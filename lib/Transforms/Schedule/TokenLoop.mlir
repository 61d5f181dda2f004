// What worker 0 does between choosing a token and reading it, in the program
// `generate`: mega-add-token-loop takes it from here.
//
// `progress` is what ended the loop (0: nothing yet, 1: a stop, 2: the host,
// 3: as many ids as there may be, 4: no token could be chosen), how many ids
// are `chosen`, and how many there may be. `stops` are sequences of ids, each
// with -1 behind it.
mega.program @advance(%token: memref<2xi64>, %history: memref<?xi64>,
                      %numbers: memref<4xi64>, %stops: memref<?xi64>,
                      %chosen: memref<?xi64>, %progress: memref<4xi64>) {
  mega.single {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %i0 = arith.constant 0 : i64
    %i1 = arith.constant 1 : i64
    %i2 = arith.constant 2 : i64
    %i3 = arith.constant 3 : i64
    %i4 = arith.constant 4 : i64
    %true = arith.constant true
    %kind = memref.load %token[%c1] : memref<2xi64>
    %is_refused = arith.cmpi ne, %kind, %i0 : i64
    %state = scf.if %is_refused -> (i64) {
      scf.yield %i4 : i64
    } else {
      %id = memref.load %token[%c0] : memref<2xi64>
      %before = memref.load %progress[%c1] : memref<4xi64>
      %place = arith.index_cast %before : i64 to index
      memref.store %id, %chosen[%place] : memref<?xi64>
      %count = arith.addi %before, %i1 : i64
      memref.store %count, %progress[%c1] : memref<4xi64>

      // What the next choice is for, and what its penalty is about.
      %position = memref.load %numbers[%c2] : memref<4xi64>
      %next_position = arith.addi %position, %i1 : i64
      memref.store %next_position, %numbers[%c2] : memref<4xi64>
      %seen = memref.load %numbers[%c3] : memref<4xi64>
      %seen_place = arith.index_cast %seen : i64 to index
      %room = memref.dim %history, %c0 : memref<?xi64>
      %has_room = arith.cmpi ult, %seen_place, %room : index
      scf.if %has_room {
        memref.store %id, %history[%seen_place] : memref<?xi64>
        %now_seen = arith.addi %seen, %i1 : i64
        memref.store %now_seen, %numbers[%c3] : memref<4xi64>
      }

      // Whether the ids end in one of the stops.
      %n = arith.index_cast %count : i64 to index
      %all = memref.dim %stops, %c0 : memref<?xi64>
      %is_false = arith.constant false
      %stop:2 = scf.for %j = %c0 to %all step %c1 iter_args(%start = %c0, %found = %is_false) -> (index, i1) {
        %x = memref.load %stops[%j] : memref<?xi64>
        %is_end = arith.cmpi slt, %x, %i0 : i64
        %now:2 = scf.if %is_end -> (index, i1) {
          %length = arith.subi %j, %start : index
          %fits = arith.cmpi ule, %length, %n : index
          %is_same = scf.if %fits -> (i1) {
            %from = arith.subi %n, %length : index
            %same = scf.for %k = %c0 to %length step %c1 iter_args(%so_far = %true) -> (i1) {
              %stop_at = arith.addi %start, %k : index
              %id_at = arith.addi %from, %k : index
              %a = memref.load %stops[%stop_at] : memref<?xi64>
              %b = memref.load %chosen[%id_at] : memref<?xi64>
              %is_equal = arith.cmpi eq, %a, %b : i64
              %both = arith.andi %so_far, %is_equal : i1
              scf.yield %both : i1
            }
            scf.yield %same : i1
          } else {
            scf.yield %is_false : i1
          }
          %either = arith.ori %found, %is_same : i1
          %behind = arith.addi %j, %c1 : index
          scf.yield %behind, %either : index, i1
        } else {
          scf.yield %start, %found : index, i1
        }
        scf.yield %now#0, %now#1 : index, i1
      }

      %is_enough = mega.tell %id
      %most = memref.load %progress[%c2] : memref<4xi64>
      %is_last = arith.cmpi sge, %count, %most : i64
      %end = arith.select %is_last, %i3, %i0 : i64
      %host = arith.select %is_enough, %i2, %end : i64
      %any = arith.select %stop#1, %i1, %host : i64
      scf.yield %any : i64
    }
    memref.store %state, %progress[%c0] : memref<4xi64>
  }
  mega.return
}
