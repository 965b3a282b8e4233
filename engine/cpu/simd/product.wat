;; Products of matrices. A tile is R rows of four or eight columns, whose sums stay in
;; registers while k runs: with eight columns, as many rows as leave one register for an
;; element and one for each four weights (and, unfused, one for a product). The rows lie
;; anywhere: a table has the address of each, for one place of a convolution's kernel after
;; the other. The columns of the weights lie side by side, eight for each k (see
;; weights.wat), or further apart.

;; What product and conv3x3 take. Columns and addresses are those of the first panel.
(define table () (int 0))      ;; for every tap, the addresses of rows, the last once more for an odd number
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
(define table_apart () (int 21)) ;; bytes from one tap's addresses to the next's

;; One k: the weights of its columns, and what the element of each row adds to its sums.
(define add_products (R V k)
  (repeat v V (local.set $w{v} (v128.load offset={16*v} (local.get $w))))
  (increase $w (local.get $step))
  (repeat r R
    (local.set $a (v128.load32_splat offset={4*k} (local.get $p{r})))
    (repeat v V (local.set $s{r}{v} (fma (local.get $a) (local.get $w{v}) (local.get $s{r}{v}))))))
(define onwards (R ks)
  (repeat r R (increase $p{r} (i32.const {4*ks}))))

(define tile (R V)
  (func $tile{R}x{V} (param $d i32) (param $table i32) (param $w i32) (param $to i32) (param $apart i32)
    (local $taps i32) (local $step i32) (local $k i32) (local $a v128)
    (repeat r R (local $p{r} i32) (repeat v V (local $s{r}{v} v128)))
    (repeat v V (local $w{v} v128))
    (local.set $taps (taps))
    (local.set $step (apart))
    (loop $tap
      (repeat r R (local.set $p{r} (i32.load offset={4*r} (local.get $table))))
      (if (local.tee $k (i32.shr_u (width) (i32.const 2))) (then
        (loop $fours
          (repeat k 4 (add_products R V k))
          (onwards R 4)
          (br_if $fours (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))))
      (if (local.tee $k (i32.and (width) (i32.const 3))) (then
        (loop $rest
          (add_products R V 0)
          (onwards R 1)
          (br_if $rest (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))))
      (increase $table (table_apart))
      (br_if $tap (local.tee $taps (i32.sub (local.get $taps) (i32.const 1)))))
    (repeat r R
      (repeat v V (v128.store offset={16*v} (local.get $to) (local.get $s{r}{v})))
      (increase $to (local.get $apart)))))

(fused (tile 6 2)) (fused (tile 6 1))
(tile 4 2) (tile 4 1) (tile 2 2) (tile 2 1) (tile 1 2) (tile 1 1)

;; out = residual + gate ⊙ act(scale·sum + bias), or act(scale·sum + bias + residual), of a tile.
(define finish (V)
  (func $finish{V} (param $d i32) (param $row i32) (param $rows i32) (param $column i32)
    (local $sums i32) (local $out i32) (local $residual i32) (local $bytes i32) (local $i i32) (local $scale v128)
    (repeat v V (local $bias{v} v128) (local $gate{v} v128) (local $to{v} i32))
    (local.set $bytes (i32.shl (local.get $column) (i32.const 2)))
    (local.set $scale (scale))
    (repeat v V
      (local.set $gate{v} (four 1))
      (local.set $to{v} (i32.add (i32.const {16*v}) (select (gap) (i32.const 0) (i32.ge_s (i32.add (local.get $column) (i32.const {4*v})) (gap_at))))))
    (if (bias) (then (repeat v V (local.set $bias{v} (v128.load offset={16*v} (i32.add (bias) (local.get $bytes)))))))
    (if (gate) (then (repeat v V (local.set $gate{v} (v128.load offset={16*v} (i32.add (gate) (local.get $bytes)))))))
    (if (residual) (then
      (local.set $residual (i32.add (i32.add (residual) (i32.mul (local.get $row) (residual_stride))) (local.get $bytes)))))
    (if (i32.and (i32.ne (act) (i32.const 0)) (i32.gt_s (i32.add (local.get $column) (i32.const {4*V})) (act_from))) (then
      (local.set $sums (sums))
      (local.set $i (local.get $rows))
      (loop $biased
        (repeat v V
          (v128.store offset={16*v} (local.get $sums)
            (f32x4.add (f32x4.mul (local.get $scale) (v128.load offset={16*v} (local.get $sums))) (local.get $bias{v}))))
        (if (i32.and (inner) (i32.ne (local.get $residual) (i32.const 0))) (then
          (repeat v V
            (v128.store offset={16*v} (local.get $sums) (f32x4.add (v128.load offset={16*v} (local.get $sums)) (v128.load offset={16*v} (local.get $residual)))))
          (increase $residual (residual_stride))))
        (if (i32.lt_s (local.get $column) (act_from)) (then ;; only the second four of eight
          (call $activate (act) (i32.add (local.get $sums) (i32.const 16)) (i32.add (local.get $sums) (i32.const 16)) (i32.add (local.get $sums) (i32.const 32)))))
        (increase $sums (i32.const 32))
        (br_if $biased (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (if (i32.ge_s (local.get $column) (act_from)) (then (call $activate (act) (sums) (sums) (local.get $sums))))
      (if (inner) (then (local.set $residual (i32.const 0))))
      (local.set $scale (four 1))
      (repeat v V (local.set $bias{v} (four 0)))))
    (local.set $sums (sums))
    (local.set $out (i32.add (i32.add (out) (i32.mul (local.get $row) (stride))) (local.get $bytes)))
    (loop $rows
      (repeat v V
        (v128.store (i32.add (local.get $out) (local.get $to{v})) (f32x4.add
          (f32x4.mul (local.get $gate{v})
            (f32x4.add (f32x4.mul (local.get $scale) (v128.load offset={16*v} (local.get $sums))) (local.get $bias{v})))
          (if (result v128) (local.get $residual)
            (then (v128.load offset={16*v} (local.get $residual)))
            (else (four 0))))))
      (if (local.get $residual) (then (increase $residual (residual_stride))))
      (increase $out (stride))
      (increase $sums (i32.const 32))
      (br_if $rows (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))

(finish 1) (finish 2)

;; A tile of so many of the rows that are left, or of fewer. Sums of which nothing else is made
;; go where they belong at once.
(define of_tile (R V)
  (local.set $direct (i32.and (local.get $plain) (i32.ge_s (local.get $rows) (i32.const R))))
  (call $tile{R}x{V} (local.get $d) (local.get $table) (local.get $w)
    (select (i32.add (i32.add (out) (i32.mul (local.get $row) (stride))) (i32.shl (local.get $column) (i32.const 2))) (sums) (local.get $direct))
    (select (stride) (i32.const 32) (local.get $direct)))
  (if (i32.gt_s (local.get $rows) (i32.const R)) (then (local.set $rows (i32.const R)))))

;; Seven or eight rows are two tiles of four: one of two takes as long as one of four.
(define of_height (V)
  (block $multiplied
    (fused (if (i32.or (i32.gt_s (local.get $rows) (i32.const 8)) (i32.eq (i32.shr_u (i32.add (local.get $rows) (i32.const 1)) (i32.const 1)) (i32.const 3))) (then
      (of_tile 6 V)
      (br $multiplied))))
    (if (i32.gt_s (local.get $rows) (i32.const 2)) (then
      (of_tile 4 V)
      (br $multiplied)))
    (if (i32.eq (local.get $rows) (i32.const 2)) (then (of_tile 2 V)) (else (of_tile 1 V))))
  (if (i32.eqz (local.get $direct)) (then
    (call $finish{V} (local.get $d) (local.get $row) (local.get $rows) (local.get $column)))))

;; Whether the columns of a panel are before the first that something happens to, if it does.
(define unless (what from) (i32.or (i32.eqz what) (i32.le_s (i32.add (local.get $column) (i32.const 8)) from)))

(func $product (export "product") (param $d i32)
  (local $column i32) (local $row i32) (local $rows i32) (local $table i32) (local $w i32) (local $plain i32) (local $direct i32)
  (local.set $w (weights))
  (loop $panels
    (local.set $plain (i32.and
      (i32.and (i32.eqz (i32.or (i32.or (bias) (gate)) (residual))) (f32.eq (f32.const 1) (float 19)))
      (i32.and (unless (act) (act_from)) (unless (gap) (gap_at)))))
    (local.set $row (i32.const 0))
    (local.set $table (table))
    (loop $groups
      (local.set $rows (i32.sub (height) (local.get $row)))
      (if (i32.gt_s (i32.sub (columns) (local.get $column)) (i32.const 4))
        (then (of_height 2))
        (else (of_height 1)))
      (increase $row (local.get $rows))
      (increase $table (i32.shl (local.get $rows) (i32.const 2)))
      (br_if $groups (i32.lt_s (local.get $row) (height))))
    (increase $w (panel))
    (increase $column (i32.const 8))
    (br_if $panels (i32.lt_s (local.get $column) (columns)))))

;; Pixels from the first on, of a picture whose rows of channels are the rows of a product
;; with nine taps. What lies outside of it is a row of zeros.
(define picture () (int 22))
(define pixel_bytes () (int 23))
(define picture_width () (int 24))
(define picture_height () (int 25))
(define first () (int 26))
(define zeros () (int 27))

(func (export "conv3x3") (param $d i32)
  (local $i i32) (local $pixel i32) (local $x i32) (local $y i32) (local $px i32) (local $py i32) (local $to i32) (local $tap i32)
  (local $at v128) (local $places v128) (local $zeros v128) (local $inside v128)
  (local.set $zeros (i32x4.splat (zeros)))
  (local.set $to (table))
  (loop $groups
    (local.set $pixel (i32.add (first) (local.get $i)))
    (local.set $y (i32.div_u (local.get $pixel) (picture_width)))
    (local.set $x (i32.sub (local.get $pixel) (i32.mul (local.get $y) (picture_width))))
    (if (i32.le_s (i32.add (local.get $x) (i32.const 4)) (picture_width))
      (then ;; four neighbours in one row: their addresses are so many bytes apart
        (local.set $places (i32x4.add (i32x4.splat (local.get $x)) (v128.const i32x4 0 1 2 3)))
        (local.set $at (i32x4.add (i32x4.splat (picture))
          (i32x4.mul (i32x4.add (i32x4.splat (i32.mul (local.get $y) (picture_width))) (local.get $places)) (i32x4.splat (pixel_bytes)))))
        (local.set $tap (local.get $to))
        (repeat dy 3
          (local.set $inside (i32x4.splat (i32.sub (i32.const 0) (i32.lt_u (i32.add (local.get $y) (i32.const {dy-1})) (picture_height)))))
          (repeat dx 3
            (v128.store (local.get $tap)
              (v128.bitselect
                (i32x4.add (local.get $at) (i32x4.splat (i32.mul (pixel_bytes) (i32.add (i32.const {dx-1}) (i32.mul (i32.const {dy-1}) (picture_width))))))
                (local.get $zeros)
                (v128.and (local.get $inside)
                  (i32x4.lt_u (i32x4.add (local.get $places) (i32x4.splat (i32.const {dx-1}))) (i32x4.splat (picture_width))))))
            (increase $tap (table_apart)))))
      (else
        (repeat n 4
          ;; The last pixel stands for those behind it.
          (local.set $pixel (i32.add (first) (select (i32.add (local.get $i) (i32.const n)) (i32.sub (height) (i32.const 1)) (i32.lt_s (i32.add (local.get $i) (i32.const n)) (height)))))
          (local.set $y (i32.div_u (local.get $pixel) (picture_width)))
          (local.set $x (i32.sub (local.get $pixel) (i32.mul (local.get $y) (picture_width))))
          (local.set $tap (i32.add (local.get $to) (i32.const {4*n})))
          (repeat dy 3 (repeat dx 3
            (local.set $py (i32.add (local.get $y) (i32.const {dy-1})))
            (local.set $px (i32.add (local.get $x) (i32.const {dx-1})))
            ;; As numbers without a sign, those before the first are large.
            (i32.store (local.get $tap)
              (select
                (i32.add (picture) (i32.mul (i32.add (i32.mul (local.get $py) (picture_width)) (local.get $px)) (pixel_bytes)))
                (zeros)
                (i32.and (i32.lt_u (local.get $py) (picture_height)) (i32.lt_u (local.get $px) (picture_width)))))
            (increase $tap (table_apart)))))))
    (increase $to (i32.const 16))
    (br_if $groups (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 4))) (height))))
  (call $product (local.get $d)))

;; Winograd's sixteen products (see winograd.wat). What product takes, for the first of them, and: bytes
;; from table to table · bytes from weights to weights · bytes from out to out
(define next (argument by) (i32.store offset={4*argument} (local.get $d) (i32.add (int argument) (int by))))
(func (export "winograd_products") (param $d i32) (local $left i32)
  (local.set $left (i32.const 16))
  (loop $matrices
    (call $product (local.get $d))
    (next 0 28)
    (next 3 29)
    (next 8 30)
    (br_if $matrices (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
