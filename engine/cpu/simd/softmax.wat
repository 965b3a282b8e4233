;; Rows of logits become weights that sum to 1: logits · bytes from row to row · rows · keys ·
;; bias (or 0) · bytes from row to row of it · mask (or 0) · the number of the first row, or
;; -1: row i counts keys up to i alone. Keys that do not count get the weight 0.
(define keys () (int 3))

(func (export "softmax") (param $d i32)
  (local $x i32) (local $bias i32) (local $rows i32) (local $counted i32) (local $at i32) (local $end i32) (local $i i32)
  (local $v v128) (local $most v128) (local $all v128) (exp_locals)
  (local.set $x (int 0))
  (local.set $bias (int 4))
  (local.set $rows (int 2))
  (local.set $end (i32.shl (keys) (i32.const 2)))
  (local.set $counted (select (keys) (i32.add (int 7) (i32.const 1)) (i32.lt_s (int 7) (i32.const 0))))
  (loop $rows
    (local.set $most (four -inf))
    (local.set $at (i32.const 0))
    (local.set $i (i32.const 0))
    (loop $logits
      (local.set $v (v128.load (i32.add (local.get $x) (local.get $at))))
      (if (local.get $bias) (then (local.set $v (f32x4.add (local.get $v) (v128.load (i32.add (local.get $bias) (local.get $at)))))))
      (if (int 6) (then (local.set $v (f32x4.add (local.get $v) (v128.load (i32.add (int 6) (local.get $at)))))))
      (local.set $v (v128.bitselect (local.get $v) (four -inf) (within (local.get $i) (local.get $counted))))
      (v128.store (i32.add (local.get $x) (local.get $at)) (local.get $v))
      (local.set $most (f32x4.max (local.get $most) (local.get $v)))
      (increase $i (i32.const 4))
      (br_if $logits (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (local.set $most (f32x4.splat (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $most)) (f32x4.extract_lane 1 (local.get $most)))
      (f32.max (f32x4.extract_lane 2 (local.get $most)) (f32x4.extract_lane 3 (local.get $most))))))
    (local.set $all (four 0))
    (local.set $at (i32.const 0))
    (local.set $i (i32.const 0))
    (loop $powers
      (local.set $v (v128.and
        (exp (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $at))) (local.get $most)))
        (within (local.get $i) (local.get $counted))))
      (v128.store (i32.add (local.get $x) (local.get $at)) (local.get $v))
      (local.set $all (f32x4.add (local.get $all) (local.get $v)))
      (increase $i (i32.const 4))
      (br_if $powers (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (local.set $all (f32x4.splat (f32.div (f32.const 1) (sum (local.get $all)))))
    (local.set $at (i32.const 0))
    (loop $shares
      (v128.store (i32.add (local.get $x) (local.get $at)) (f32x4.mul (local.get $all) (v128.load (i32.add (local.get $x) (local.get $at)))))
      (br_if $shares (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (increase $x (int 1))
    (if (local.get $bias) (then (increase $bias (int 5))))
    (if (i32.ge_s (int 7) (i32.const 0)) (then (increase $counted (i32.const 1))))
    (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
