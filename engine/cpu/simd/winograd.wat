;; Convolutions by Winograd's F(2×2, 3×3): a tile of two by two pixels takes 16 products for
;; each pair of channels in place of 36. 16 matrices of tiles are multiplied by as many of
;; weights (see product.wat), of which each is a sum of pixels or weights:
;;
;;	out = Aᵀ((G·w·Gᵀ) ⊙ (Bᵀ·x·B))·A
;;
;; A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308.

;; Of four values, in locals of a name and a number each, what F(2, 3) wants of them.
(define input_sums (to a b c d)
  (local.set {to}0 (f32x4.sub (local.get a) (local.get c)))
  (local.set {to}1 (f32x4.add (local.get b) (local.get c)))
  (local.set {to}2 (f32x4.sub (local.get c) (local.get b)))
  (local.set {to}3 (f32x4.sub (local.get b) (local.get d))))

;; Tiles of a picture: x · bytes from pixel to pixel · width · height · the first tile · tiles ·
;; channels, a multiple of four · as many zeros · to · bytes from matrix to matrix. Tile after
;; tile is a row of every matrix.
(func (export "winograd_input") (param $d i32)
  (local $tile i32) (local $wide i32) (local $x i32) (local $y i32) (local $px i32) (local $py i32) (local $to i32) (local $at i32) (local $out i32)
  (repeat i 16 (local $p{i} i32)) (repeat i 4 (local $x{i} v128)) (repeat j 4 (repeat i 4 (local $t{j}{i} v128))) (repeat i 4 (local $s{i} v128))
  (local.set $tile (int 4))
  (local.set $wide (i32.shr_u (i32.add (int 2) (i32.const 1)) (i32.const 1)))
  (local.set $to (int 8))
  (loop $tiles
    (local.set $y (i32.div_u (local.get $tile) (local.get $wide)))
    (local.set $x (i32.sub (i32.shl (i32.sub (local.get $tile) (i32.mul (local.get $y) (local.get $wide))) (i32.const 1)) (i32.const 1)))
    (local.set $y (i32.sub (i32.shl (local.get $y) (i32.const 1)) (i32.const 1)))
    (repeat i 4
      (local.set $py (i32.add (local.get $y) (i32.const i)))
      (repeat j 4
        (local.set $px (i32.add (local.get $x) (i32.const j)))
        ;; As numbers without a sign, those before the first are large.
        (local.set $p{4*i+j} (select
          (i32.add (int 0) (i32.mul (i32.add (i32.mul (local.get $py) (int 2)) (local.get $px)) (int 1)))
          (int 7)
          (i32.and (i32.lt_u (local.get $py) (int 3)) (i32.lt_u (local.get $px) (int 2)))))))
    (local.set $at (i32.const 0))
    (loop $channels
      (repeat j 4
        (repeat i 4 (local.set $x{i} (v128.load (i32.add (local.get $p{4*i+j}) (local.get $at)))))
        (input_sums $t{j} $x0 $x1 $x2 $x3))
      (local.set $out (i32.add (local.get $to) (local.get $at)))
      (repeat i 4
        (input_sums $s $t0{i} $t1{i} $t2{i} $t3{i})
        (repeat j 4
          (v128.store (local.get $out) (local.get $s{j}))
          (increase $out (int 9))))
      (br_if $channels (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (i32.shl (int 6) (i32.const 2)))))
    (increase $to (i32.shl (int 6) (i32.const 2)))
    (local.set $tile (i32.add (local.get $tile) (i32.const 1)))
    (br_if $tiles (i32.lt_s (local.get $tile) (i32.add (int 4) (int 5))))))

;; Of three weights, what F(2, 3) wants of them.
(define weight_sums (to a b c)
  (local.set {to}0 (local.get a))
  (local.set $both (f32x4.add (local.get a) (local.get c)))
  (local.set {to}1 (f32x4.mul (four 0.5) (f32x4.add (local.get $both) (local.get b))))
  (local.set {to}2 (f32x4.mul (four 0.5) (f32x4.sub (local.get $both) (local.get b))))
  (local.set {to}3 (local.get c)))

;; A panel of weights, place after place: from · channels · to · bytes from matrix to matrix
(func (export "winograd_weights") (param $d i32)
  (local $from i32) (local $to i32) (local $k i32) (local $at i32) (local $out i32) (local $both v128)
  (repeat i 3 (local $x{i} v128)) (repeat j 3 (repeat i 4 (local $t{j}{i} v128))) (repeat i 4 (local $s{i} v128))
  (local.set $from (int 0))
  (local.set $to (int 2))
  (local.set $k (i32.shl (int 1) (i32.const 1))) ;; twice four columns
  (loop $all
    (local.set $at (local.get $from))
    (repeat i 3
      (repeat j 3
        (local.set $x{j} (v128.load (local.get $at)))
        (increase $at (i32.shl (int 1) (i32.const 5))))
      (weight_sums $s $x0 $x1 $x2)
      (repeat j 4 (local.set $t{i}{j} (local.get $s{j}))))
    (local.set $out (local.get $to))
    ;; The sums of columns, then those of rows: matrix 4·row + column.
    (repeat j 4
      (weight_sums $s $t0{j} $t1{j} $t2{j})
      (repeat i 4 (v128.store (i32.add (local.get $out) (i32.mul (i32.const {4*i}) (int 3))) (local.get $s{i})))
      (increase $out (int 3)))
    (increase $from (i32.const 16))
    (increase $to (i32.const 16))
    (br_if $all (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))

;; Of four products, the two pixels.
(define output_sums (to a b c d)
  (local.set {to}0 (f32x4.add (f32x4.add (local.get a) (local.get b)) (local.get c)))
  (local.set {to}1 (f32x4.sub (f32x4.sub (local.get b) (local.get c)) (local.get d))))

;; The pixels of tiles: products · bytes from matrix to matrix · width · height · the first
;; tile · tiles · channels · out · bytes from pixel to pixel · bias (or 0) · residual (or 0) ·
;; bytes from pixel to pixel of it · the number of an activation
(func (export "winograd_output") (param $d i32)
  (local $tile i32) (local $wide i32) (local $x i32) (local $y i32) (local $from i32) (local $in i32) (local $at i32) (local $end i32)
  (local $pixel i32) (local $out i32) (local $residual i32) (local $bias v128)
  (repeat i 4 (local $x{i} v128)) (repeat j 4 (repeat i 2 (local $t{j}{i} v128))) (repeat i 2 (local $s{i} v128))
  (local.set $tile (int 4))
  (local.set $wide (i32.shr_u (i32.add (int 2) (i32.const 1)) (i32.const 1)))
  (local.set $from (int 0))
  (local.set $end (i32.shl (int 6) (i32.const 2)))
  (loop $tiles
    (local.set $y (i32.div_u (local.get $tile) (local.get $wide)))
    (local.set $x (i32.shl (i32.sub (local.get $tile) (i32.mul (local.get $y) (local.get $wide))) (i32.const 1)))
    (local.set $y (i32.shl (local.get $y) (i32.const 1)))
    (local.set $pixel (i32.add (i32.mul (local.get $y) (int 2)) (local.get $x)))
    (local.set $at (i32.const 0))
    (loop $channels
      (local.set $in (i32.add (local.get $from) (local.get $at)))
      (repeat i 4
        (repeat j 4
          (local.set $x{j} (v128.load (local.get $in)))
          (increase $in (int 1)))
        (output_sums $t{i} $x0 $x1 $x2 $x3))
      (if (int 9) (then (local.set $bias (v128.load (i32.add (int 9) (local.get $at))))))
      (repeat j 2
        (output_sums $s $t0{j} $t1{j} $t2{j} $t3{j})
        (repeat i 2
          (if (i32.and (i32.lt_u (i32.add (local.get $x) (i32.const j)) (int 2)) (i32.lt_u (i32.add (local.get $y) (i32.const i)) (int 3))) (then
            (local.set $s{i} (f32x4.add (local.get $s{i}) (local.get $bias)))
            (local.set $out (i32.add (local.get $pixel) (i32.add (i32.mul (i32.const i) (int 2)) (i32.const j))))
            (if (int 10) (then (local.set $s{i} (f32x4.add (local.get $s{i})
              (v128.load (i32.add (i32.add (int 10) (local.get $at)) (i32.mul (local.get $out) (int 11))))))))
            (v128.store (i32.add (i32.add (int 7) (local.get $at)) (i32.mul (local.get $out) (int 8))) (local.get $s{i}))))))
      (br_if $channels (i32.lt_s (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (if (int 12) (then
      (repeat i 2 (repeat j 2
        (if (i32.and (i32.lt_u (i32.add (local.get $x) (i32.const j)) (int 2)) (i32.lt_u (i32.add (local.get $y) (i32.const i)) (int 3))) (then
          (local.set $out (i32.add (int 7) (i32.mul (i32.add (local.get $pixel) (i32.add (i32.mul (i32.const i) (int 2)) (i32.const j))) (int 8))))
          (call $activate (int 12) (local.get $out) (local.get $out) (i32.add (local.get $out) (local.get $end)))))))))
    (increase $from (local.get $end))
    (local.set $tile (i32.add (local.get $tile) (i32.const 1)))
    (br_if $tiles (i32.lt_s (local.get $tile) (i32.add (int 4) (int 5))))))
