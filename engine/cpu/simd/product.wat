;; Products of matrices. A tile is R rows of four or eight columns, whose sums stay in
;; registers while k runs. The rows lie anywhere: a table has the address of each, for one
;; place of a convolution's kernel after the other. The columns of the weights lie side by
;; side, eight for each k (see weights.wat), or further apart.

(define step (R V at)
  (repeat v V (local.set $w{v} (v128.load offset={16*v} (local.get $w))))
  (repeat r R
    (local.set $a (v128.load32_splat offset={at} (local.get $p{r})))
    (repeat v V (local.set $s{r}{v} (fma (local.get $a) (local.get $w{v}) (local.get $s{r}{v})))))
  (increase $w (local.get $step)))

(define tile (R V)
  (func $tile{R}x{V} (param $table i32) (param $taps i32) (param $width i32) (param $w i32) (param $step i32) (param $sums i32)
    (local $k i32) (local $a v128)
    (repeat r R (local $p{r} i32) (repeat v V (local $s{r}{v} v128)))
    (repeat v V (local $w{v} v128))
    (loop $tap
      (repeat r R (local.set $p{r} (i32.load offset={4*r} (local.get $table))))
      (if (local.tee $k (i32.shr_u (local.get $width) (i32.const 2))) (then
        (loop $fours
          (repeat at 4 (step R V {4*at}))
          (repeat r R (increase $p{r} (i32.const 16)))
          (br_if $fours (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))))
      (if (local.tee $k (i32.and (local.get $width) (i32.const 3))) (then
        (loop $rest
          (step R V 0)
          (repeat r R (increase $p{r} (i32.const 4)))
          (br_if $rest (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))))
      (increase $table (i32.const 16))
      (br_if $tap (local.tee $taps (i32.sub (local.get $taps) (i32.const 1)))))
    (repeat r R (repeat v V (v128.store offset={32*r+16*v} (local.get $sums) (local.get $s{r}{v}))))))

(tile 4 2) (tile 4 1) (tile 2 2) (tile 2 1) (tile 1 2) (tile 1 1)

;; What product and conv3x3 take. Columns and addresses are those of the first panel.
(define table () (int 0))      ;; for every four rows, for every tap, four addresses
(define taps () (int 1))
(define width () (int 2))      ;; elements of k for each tap
(define weights () (int 3))    ;; the first panel
(define apart () (int 4))      ;; bytes from one k to the next
(define panel () (int 5))      ;; bytes from one panel of eight columns to the next
(define columns () (int 6))
(define height () (int 7))     ;; rows
(define out () (int 8))
(define stride () (int 9))     ;; of out, in bytes
(define bias () (int 10))      ;; or 0
(define gate () (int 11))      ;; or 0
(define residual () (int 12))  ;; or 0
(define residual_stride () (int 13))
(define inner () (int 14))     ;; 1: the residual is added before the activation
(define act () (int 15))
(define act_from () (int 16))  ;; the column from which on it applies
(define gap_at () (int 17))    ;; the column from which on
(define gap () (int 18))       ;; columns lie so many bytes further right
(define scale () (splat 19))   ;; of the sums
(define sums () (int 20))      ;; room for a tile

(define add_residual ()
  (local.set $x (f32x4.add (local.get $x) (v128.load (i32.add (i32.add (residual) (i32.mul (local.get $row) (residual_stride))) (local.get $at))))))

;; out = residual + gate ⊙ act(scale·sum + bias), or act(scale·sum + bias + residual), of a tile.
(func $finish (param $d i32) (param $row i32) (param $rows i32) (param $column i32) (param $end i32)
  (local $sums i32) (local $c i32) (local $at i32) (local $x v128)
  (local.set $sums (sums))
  (loop $rows
    (local.set $c (local.get $column))
    (loop $columns
      (local.set $at (i32.shl (local.get $c) (i32.const 2)))
      (local.set $x (f32x4.mul (scale) (v128.load (i32.add (local.get $sums) (i32.shl (i32.sub (local.get $c) (local.get $column)) (i32.const 2))))))
      (if (bias) (then (local.set $x (f32x4.add (local.get $x) (v128.load (i32.add (bias) (local.get $at)))))))
      (if (i32.and (inner) (i32.ne (residual) (i32.const 0))) (then (add_residual)))
      (if (i32.and (i32.ne (act) (i32.const 0)) (i32.ge_s (local.get $c) (act_from))) (then (local.set $x (call $activate (act) (local.get $x)))))
      (if (gate) (then (local.set $x (f32x4.mul (local.get $x) (v128.load (i32.add (gate) (local.get $at)))))))
      (if (i32.and (i32.eqz (inner)) (i32.ne (residual) (i32.const 0))) (then (add_residual)))
      (if (i32.ge_s (local.get $c) (gap_at)) (then (increase $at (gap))))
      (v128.store (i32.add (i32.add (out) (i32.mul (local.get $row) (stride))) (local.get $at)) (local.get $x))
      (increase $c (i32.const 4))
      (br_if $columns (i32.lt_s (local.get $c) (local.get $end))))
    (increase $sums (i32.const 32))
    (increase $row (i32.const 1))
    (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

(define of_tile (R V) (call $tile{R}x{V} (local.get $table) (taps) (width) (local.get $w) (apart) (sums)))

;; The tile of the rows that are left.
(define of_height (V)
  (if (i32.gt_s (local.get $rows) (i32.const 2))
    (then (of_tile 4 V) (if (i32.gt_s (local.get $rows) (i32.const 4)) (then (local.set $rows (i32.const 4)))))
    (else (if (i32.eq (local.get $rows) (i32.const 2)) (then (of_tile 2 V)) (else (of_tile 1 V))))))

(func $product (export "product") (param $d i32)
  (local $column i32) (local $row i32) (local $rows i32) (local $table i32) (local $w i32)
  (local.set $w (weights))
  (loop $panels
    (local.set $row (i32.const 0))
    (local.set $table (table))
    (loop $groups
      (local.set $rows (i32.sub (height) (local.get $row)))
      (if (i32.gt_s (i32.sub (columns) (local.get $column)) (i32.const 4))
        (then (of_height 2))
        (else (of_height 1)))
      (call $finish (local.get $d) (local.get $row) (local.get $rows) (local.get $column)
        (select (columns) (i32.add (local.get $column) (i32.const 8)) (i32.lt_s (columns) (i32.add (local.get $column) (i32.const 8)))))
      (increase $row (i32.const 4))
      (increase $table (i32.shl (taps) (i32.const 4)))
      (br_if $groups (i32.lt_s (local.get $row) (height))))
    (increase $w (panel))
    (increase $column (i32.const 8))
    (br_if $panels (i32.lt_s (local.get $column) (columns)))))

;; Pixels from the first on, of a picture whose rows of channels are the rows of a product
;; with nine taps. What lies outside of it is a row of zeros.
(define picture () (int 21))
(define pixel_bytes () (int 22))
(define picture_width () (int 23))
(define picture_height () (int 24))
(define first () (int 25))
(define zeros () (int 26))

(func (export "conv3x3") (param $d i32)
  (local $i i32) (local $pixel i32) (local $to i32) (local $x i32) (local $y i32) (local $px i32) (local $py i32) (local $tap i32)
  (loop $pixels
    (local.set $pixel (i32.add (first)
      (select (local.get $i) (i32.sub (height) (i32.const 1)) (i32.lt_s (local.get $i) (height)))))
    (local.set $y (i32.div_u (local.get $pixel) (picture_width)))
    (local.set $x (i32.sub (local.get $pixel) (i32.mul (local.get $y) (picture_width))))
    ;; The i-th pixel is the (i mod 4)-th of its group, whose tables hold 36 addresses.
    (local.set $to (i32.add (table) (i32.shl (i32.add (i32.and (local.get $i) (i32.const 3)) (i32.mul (i32.shr_u (local.get $i) (i32.const 2)) (i32.const 36))) (i32.const 2))))
    (local.set $py (i32.sub (local.get $y) (i32.const 1)))
    (local.set $px (i32.sub (local.get $x) (i32.const 1)))
    (local.set $tap (i32.const 0))
    (loop $taps
      ;; As numbers without a sign, those before the first are large.
      (i32.store (local.get $to)
        (select
          (i32.add (picture) (i32.mul (i32.add (i32.mul (local.get $py) (picture_width)) (local.get $px)) (pixel_bytes)))
          (zeros)
          (i32.and (i32.lt_u (local.get $py) (picture_height)) (i32.lt_u (local.get $px) (picture_width)))))
      (increase $to (i32.const 16))
      (increase $px (i32.const 1))
      (if (i32.gt_s (local.get $px) (i32.add (local.get $x) (i32.const 1))) (then
        (local.set $px (i32.sub (local.get $x) (i32.const 1)))
        (increase $py (i32.const 1))))
      (increase $tap (i32.const 1))
      (br_if $taps (i32.lt_s (local.get $tap) (i32.const 9))))
    (increase $i (i32.const 1))
    ;; Groups are whole: the last pixel stands for those that are missing.
    (br_if $pixels (i32.or (i32.lt_s (local.get $i) (height)) (i32.and (local.get $i) (i32.const 3)))))
  (call $product (local.get $d)))
