;; Operations on elements at the same place, row by row: a · bytes from row to row · b (or 0) ·
;; bytes from row to row · out · bytes from row to row · rows · columns · what · a number
(define at_a () (v128.load (i32.add (local.get $a) (local.get $at))))
(define at_b () (v128.load (i32.add (local.get $b) (local.get $at))))
(define each (name result)
  (func (export name) (param $d i32)
    (local $a i32) (local $b i32) (local $out i32) (local $rows i32) (local $at i32) (local $end i32)
    (local.set $a (int 0))
    (local.set $b (int 2))
    (local.set $out (int 4))
    (local.set $rows (int 6))
    (local.set $end (i32.shl (int 7) (i32.const 2)))
    (loop $rows
      (local.set $at (i32.const 0))
      (loop $columns
        (v128.store (i32.add (local.get $out) (local.get $at)) result)
        (br_if $columns (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
      (increase $a (int 1))
      (increase $b (int 3))
      (increase $out (int 5))
      (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))

(each "add" (f32x4.add (at_a) (at_b)))
(each "multiply" (f32x4.mul (at_a) (at_b)))
(each "mix" (f32x4.add (at_b) (f32x4.mul (splat 9) (f32x4.sub (at_a) (at_b)))))  ;; b + number·(a − b)
(each "euler" (f32x4.add (at_a) (f32x4.mul (splat 9) (at_b))))                    ;; a + number·b

;; Likewise, of a alone: the number of an activation stands in the place of what.
(func (export "activation") (param $d i32)
  (local $a i32) (local $out i32) (local $rows i32)
  (local.set $a (int 0))
  (local.set $out (int 4))
  (local.set $rows (int 6))
  (loop $rows
    (call $activate (int 8) (local.get $a) (local.get $out) (i32.add (local.get $a) (i32.shl (int 7) (i32.const 2))))
    (increase $a (int 1))
    (increase $out (int 5))
    (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

;; Every pixel four times, in a picture of twice the width: x · bytes from pixel to pixel ·
;; out · bytes from pixel to pixel · rows of x · pixels in one · channels
(func (export "upsample") (param $d i32)
  (local $x i32) (local $out i32) (local $rows i32) (local $pixels i32) (local $at i32) (local $end i32) (local $below i32) (local $v v128)
  (local.set $x (int 0))
  (local.set $out (int 2))
  (local.set $rows (int 4))
  (local.set $end (i32.shl (int 6) (i32.const 2)))
  (local.set $below (i32.mul (i32.shl (int 5) (i32.const 1)) (int 3)))
  (loop $rows
    (local.set $pixels (int 5))
    (loop $pixels
      (local.set $at (i32.const 0))
      (loop $channels
        (local.set $v (v128.load (i32.add (local.get $x) (local.get $at))))
        (repeat dy 2 (repeat dx 2
          (v128.store
            (i32.add (i32.add (local.get $out) (local.get $at)) (i32.add (i32.mul (i32.const dy) (local.get $below)) (i32.mul (i32.const dx) (int 3))))
            (local.get $v))))
        (br_if $channels (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
      (increase $x (int 1))
      (increase $out (i32.shl (int 3) (i32.const 1)))
      (br_if $pixels (local.tee $pixels (i32.sub (local.get $pixels) (i32.const 1)))))
    (increase $out (local.get $below))
    (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

;; Pixels of three channels as bytes, red the lowest, and an alpha of 255, or 0 where one is
;; not finite: x · bytes from pixel to pixel · out · pixels · scale · bias
(func (export "rgba") (param $d i32)
  (local $x i32) (local $out i32) (local $pixels i32) (local $v v128) (local $level v128)
  (local.set $x (int 0))
  (local.set $out (int 2))
  (local.set $pixels (int 3))
  (loop $pixels
    (local.set $v (v128.load (local.get $x)))
    ;; max hands on NaN, which a conversion makes 0.
    (local.set $level (f32x4.mul (four 255) (f32x4.add (f32x4.mul (splat 4) (local.get $v)) (splat 5))))
    (local.set $level (f32x4.min (f32x4.max (local.get $level) (four 0)) (four 255)))
    (local.set $level (i32x4.trunc_sat_f32x4_s (f32x4.nearest (local.get $level))))
    (i32.store (local.get $out) (i32.or
      (i32.or (i32x4.extract_lane 0 (local.get $level)) (i32.shl (i32x4.extract_lane 1 (local.get $level)) (i32.const 8)))
      (i32.or (i32.shl (i32x4.extract_lane 2 (local.get $level)) (i32.const 16))
        ;; The difference from itself is 0 but for NaN and infinities.
        (select (i32.const 0) (i32.const 0xff000000)
          (i32.and (i32x4.bitmask (f32x4.ne (f32x4.sub (local.get $v) (local.get $v)) (four 0))) (i32.const 7))))))
    (increase $x (int 1))
    (increase $out (i32.const 4))
    (br_if $pixels (local.tee $pixels (i32.sub (local.get $pixels) (i32.const 1))))))

;; The rotation of pairs of every head, in place, after the RMS norm of the head where there
;; is a weight: x · bytes from row to row · rows · heads · elements of a head, a multiple of
;; four · weight (or 0) · eps · table (or 0) of cosine and sine · bytes from row to row
(func (export "heads") (param $d i32)
  (local $x i32) (local $rope i32) (local $rows i32) (local $heads i32) (local $at i32) (local $end i32)
  (local $v v128) (local $t v128) (local $all v128) (local $inverse v128)
  (local.set $x (int 0))
  (local.set $rope (int 7))
  (local.set $rows (int 2))
  (loop $rows
    (local.set $heads (int 3))
    (local.set $end (i32.shl (int 4) (i32.const 2)))
    (local.set $at (i32.const 0))
    (loop $heads
      (if (int 5) (then
        (local.set $all (v128.const i64x2 0 0))
        (local.set $at (i32.const 0))
        (loop $squares
          (local.set $v (v128.load (i32.add (local.get $x) (local.get $at))))
          (local.set $all (f64x2.add (local.get $all) (f64x2.add
            (f64x2.mul (lows (local.get $v)) (lows (local.get $v))) (f64x2.mul (highs (local.get $v)) (highs (local.get $v))))))
          (br_if $squares (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
        (local.set $inverse (f32x4.splat (f32.demote_f64 (f64.div (f64.const 1)
          (f64.sqrt (f64.add (f64.div (sum_of_two (local.get $all)) (f64.convert_i32_s (int 4))) (f64.promote_f32 (float 6))))))))))
      (local.set $at (i32.const 0))
      (loop $pairs
        (local.set $v (v128.load (i32.add (local.get $x) (local.get $at))))
        (if (int 5) (then (local.set $v (f32x4.mul (f32x4.mul (local.get $v) (local.get $inverse)) (v128.load (i32.add (int 5) (local.get $at)))))))
        (if (local.get $rope) (then
          (local.set $t (v128.load (i32.add (local.get $rope) (local.get $at))))
          ;; (a, b) → (a·cos − b·sin, a·sin + b·cos): b·sin and b·cos by exchanging both of a pair
          (local.set $v (f32x4.add
            (f32x4.mul (i8x16.shuffle 0 1 2 3 0 1 2 3 8 9 10 11 8 9 10 11 (local.get $v) (local.get $v)) (local.get $t))
            (f32x4.mul
              (f32x4.mul (i8x16.shuffle 4 5 6 7 4 5 6 7 12 13 14 15 12 13 14 15 (local.get $v) (local.get $v))
                (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $t) (local.get $t)))
              (v128.const f32x4 -1 1 -1 1))))))
        (v128.store (i32.add (local.get $x) (local.get $at)) (local.get $v))
        (br_if $pairs (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
      (increase $x (local.get $end))
      (br_if $heads (local.tee $heads (i32.sub (local.get $heads) (i32.const 1)))))
    (increase $x (i32.sub (int 1) (i32.mul (int 3) (local.get $end))))
    (if (local.get $rope) (then (increase $rope (int 8))))
    (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
