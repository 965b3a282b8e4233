;; Norms of rows. Sums, and the difference from the mean, are taken in float64, so that
;; rows far from 0 keep their digits.

(define lows (x) (f64x2.promote_low_f32x4 x))
(define highs (x) (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 x x)))
(define both (a b) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (f32x4.demote_f64x2_zero a) (f32x4.demote_f64x2_zero b)))
(define sum_of_two (x) (f64.add (f64x2.extract_lane 0 x) (f64x2.extract_lane 1 x)))

;; The group of x at $at, 0 where the row has ended.
(define group () (v128.and (v128.load (i32.add (local.get $x) (local.get $at))) (within (i32.shr_u (local.get $at) (i32.const 2)) (int 5))))
(define each_group (label body)
  (local.set $at (i32.const 0))
  (loop label
    body
    (br_if label (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end)))))

;; x · bytes from row to row · out · bytes from row to row · rows · columns · weight (or 0) ·
;; bias (or 0) · 1: the weight is one more · eps · 1: the mean is taken off
;;
;; (x − mean)/√(mean((x − mean)²) + eps)·weight + bias
(func (export "norm") (param $d i32)
  (local $x i32) (local $out i32) (local $rows i32) (local $at i32) (local $end i32)
  (local $v v128) (local $w v128) (local $all v128) (local $mean v128) (local $inverse v128) (local $low v128) (local $high v128)
  (local.set $x (int 0))
  (local.set $out (int 2))
  (local.set $rows (int 4))
  (local.set $end (i32.shl (int 5) (i32.const 2)))
  (loop $rows
    (local.set $mean (v128.const i64x2 0 0))
    (if (int 10) (then
      (local.set $all (v128.const i64x2 0 0))
      (each_group $values (block
        (local.set $v (group))
        (local.set $all (f64x2.add (local.get $all) (f64x2.add (lows (local.get $v)) (highs (local.get $v)))))))
      (local.set $mean (f64x2.splat (f64.div (sum_of_two (local.get $all)) (f64.convert_i32_s (int 5)))))))
    (local.set $all (v128.const i64x2 0 0))
    (each_group $squares (block
      (local.set $v (group))
      (local.set $low (f64x2.sub (lows (local.get $v)) (local.get $mean)))
      (local.set $high (f64x2.sub (highs (local.get $v)) (local.get $mean)))
      ;; What stands behind the row's end counts nothing.
      (local.set $v (within (i32.shr_u (local.get $at) (i32.const 2)) (int 5)))
      (local.set $low (v128.and (local.get $low) (i64x2.extend_low_i32x4_s (local.get $v))))
      (local.set $high (v128.and (local.get $high) (i64x2.extend_high_i32x4_s (local.get $v))))
      (local.set $all (f64x2.add (local.get $all) (f64x2.add
        (f64x2.mul (local.get $low) (local.get $low)) (f64x2.mul (local.get $high) (local.get $high)))))))
    (local.set $inverse (f64x2.splat (f64.div (f64.const 1)
      (f64.sqrt (f64.add (f64.div (sum_of_two (local.get $all)) (f64.convert_i32_s (int 5))) (f64.promote_f32 (float 9)))))))
    (each_group $normed (block
      (local.set $v (v128.load (i32.add (local.get $x) (local.get $at))))
      (local.set $v (both
        (f64x2.mul (f64x2.sub (lows (local.get $v)) (local.get $mean)) (local.get $inverse))
        (f64x2.mul (f64x2.sub (highs (local.get $v)) (local.get $mean)) (local.get $inverse))))
      (if (int 6) (then
        (local.set $w (v128.load (i32.add (int 6) (local.get $at))))
        (if (int 8) (then (local.set $w (f32x4.add (local.get $w) (four 1)))))
        (local.set $v (f32x4.mul (local.get $v) (local.get $w)))))
      (if (int 7) (then (local.set $v (f32x4.add (local.get $v) (v128.load (i32.add (int 7) (local.get $at)))))))
      (v128.store (i32.add (local.get $out) (local.get $at)) (local.get $v))))
    (increase $x (int 1))
    (increase $out (int 3))
    (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

;; Sums over rows, of each column by itself, in float64: x · bytes from row to row · rows ·
;; columns · means (or 0) · sums. With means, of the squares of the differences from them.
;; sums and means have two float64 for a column of two.
(define add_to (low) (v128.store (local.get $to) (f64x2.add (v128.load (local.get $to)) low)))
(func (export "column_sums") (param $d i32)
  (local $x i32) (local $rows i32) (local $at i32) (local $end i32) (local $to i32) (local $mean i32) (local $v v128) (local $low v128)
  (local.set $x (int 0))
  (local.set $rows (int 2))
  (local.set $end (i32.shl (int 3) (i32.const 2)))
  (loop $rows
    (local.set $to (int 5))
    (local.set $mean (int 4))
    (each_group $columns (block
      (local.set $v (v128.load (i32.add (local.get $x) (local.get $at))))
      (if (local.get $mean)
        (then
          (repeat half 2
            (local.set $low (f64x2.sub (f64x2.promote_low_f32x4 (local.get $v)) (v128.load (local.get $mean))))
            (add_to (f64x2.mul (local.get $low) (local.get $low)))
            (local.set $v (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $v) (local.get $v)))
            (increase $mean (i32.const 16))
            (increase $to (i32.const 16))))
        (else
          (add_to (lows (local.get $v)))
          (increase $to (i32.const 16))
          (add_to (highs (local.get $v)))
          (increase $to (i32.const 16))))))
    (increase $x (int 1))
    (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

;; act((x − mean)·scale + bias), mean, scale and bias being those of a column: x · bytes from
;; row to row · out · bytes from row to row · rows · columns · means · what float32 leaves of
;; them · scales · biases · the number of an activation
(func (export "column_norm") (param $d i32)
  (local $x i32) (local $out i32) (local $rows i32) (local $at i32) (local $end i32)
  (local.set $x (int 0))
  (local.set $out (int 2))
  (local.set $rows (int 4))
  (local.set $end (i32.shl (int 5) (i32.const 2)))
  (loop $rows
    (each_group $columns
      (v128.store (i32.add (local.get $out) (local.get $at))
        (f32x4.add
          (f32x4.mul
            (f32x4.sub (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $at))) (v128.load (i32.add (int 6) (local.get $at)))) (v128.load (i32.add (int 7) (local.get $at))))
            (v128.load (i32.add (int 8) (local.get $at))))
          (v128.load (i32.add (int 9) (local.get $at))))))
    (if (int 10) (then (call $activate (int 10) (local.get $out) (local.get $out) (i32.add (local.get $out) (local.get $end)))))
    (increase $x (int 1))
    (increase $out (int 3))
    (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
