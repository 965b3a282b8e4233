;; Weights in panels of eight columns: all eight of one k lie side by side, as numbers of the
;; type that the weights are stored in (see panels.go for the quantized ones). A panel becomes
;; eight float32 for each k before it is multiplied.

;; binary16 in the lower halves of four words: as a float32 of the same digits it is
;; 2^112 times too small, and that product is exact, for subnormal ones too.
(define half (h)
  (v128.or
    (i32x4.shl (v128.and h (v128.const i32x4 0x8000 0x8000 0x8000 0x8000)) (i32.const 16))
    (f32x4.mul
      (i32x4.shl (v128.and h (v128.const i32x4 0x7fff 0x7fff 0x7fff 0x7fff)) (i32.const 13))
      (four 0x1p112))))

;; from: 8 numbers for each k · to · k
(define words (name widened)
  (func (export name) (param $d i32) (local $from i32) (local $to i32) (local $k i32) (local $h v128)
    (local.set $from (int 0))
    (local.set $to (int 1))
    (local.set $k (int 2))
    (loop $all
      (repeat i 2
        (local.set $h (v128.load16x4_u offset={8*i} (local.get $from)))
        (v128.store offset={16*i} (local.get $to) widened))
      (increase $from (i32.const 16))
      (increase $to (i32.const 32))
      (br_if $all (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))))

(words "unpack_f16" (half (local.get $h)))
(words "unpack_bf16" (i32x4.shl (local.get $h) (i32.const 16)))

;; Blocks of 32 k have eight binary16 scales before their quants.
(define scales ()
  (repeat i 2
    (local.set $h (v128.load16x4_u offset={8*i} (local.get $from)))
    (local.set $scale{i} (half (local.get $h))))
  (increase $from (i32.const 16)))

;; Eight signed bytes, quants of one k, from the lower half of $q.
(define store_scaled ()
  (local.set $h (i16x8.extend_low_i8x16_s (local.get $q)))
  (v128.store (local.get $to) (f32x4.mul (local.get $scale0) (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_s (local.get $h)))))
  (v128.store offset=16 (local.get $to) (f32x4.mul (local.get $scale1) (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_s (local.get $h)))))
  (increase $to (i32.const 32)))

;; from · to · k, a multiple of 32: a byte for each quant
(func (export "unpack_q8_0") (param $d i32)
  (local $from i32) (local $to i32) (local $blocks i32) (local $k i32) (local $h v128) (local $q v128) (local $scale0 v128) (local $scale1 v128)
  (local.set $from (int 0))
  (local.set $to (int 1))
  (local.set $blocks (i32.shr_u (int 2) (i32.const 5)))
  (loop $all
    (scales)
    (local.set $k (i32.const 32))
    (loop $block
      (local.set $q (v128.load64_zero (local.get $from)))
      (store_scaled)
      (increase $from (i32.const 8))
      (br_if $block (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
    (br_if $all (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1))))))

;; from · to · k, a multiple of 32: a byte for each quant plus 8 of k (the lower half) and of k + 1
(func (export "unpack_q4_0") (param $d i32)
  (local $from i32) (local $to i32) (local $blocks i32) (local $k i32) (local $h v128) (local $q v128) (local $both v128) (local $scale0 v128) (local $scale1 v128)
  (local.set $from (int 0))
  (local.set $to (int 1))
  (local.set $blocks (i32.shr_u (int 2) (i32.const 5)))
  (loop $all
    (scales)
    (local.set $k (i32.const 16))
    (loop $block
      (local.set $both (v128.load64_zero (local.get $from)))
      (local.set $q (i8x16.sub (v128.and (local.get $both) (i8x16.splat (i32.const 15))) (i8x16.splat (i32.const 8))))
      (store_scaled)
      (local.set $q (i8x16.sub (i8x16.shr_u (local.get $both) (i32.const 4)) (i8x16.splat (i32.const 8))))
      (store_scaled)
      (increase $from (i32.const 8))
      (br_if $block (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
    (br_if $all (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1))))))

;; Rows of float32 become panels: from · bytes from row to row · rows · k · to, of which each
;; panel has room for a multiple of four k. The last row stands for those missing in a panel.
(func (export "pack") (param $d i32)
  (local $row i32) (local $to i32) (local $k i32)
  (repeat r 8 (local $p{r} i32)) (repeat r 4 (local $a{r} v128)) (repeat r 4 (local $b{r} v128))
  (local.set $to (int 4))
  (loop $panels
    (repeat r 8
      (local.set $p{r} (i32.add (int 0) (i32.mul (int 1)
        (select (i32.add (local.get $row) (i32.const r)) (i32.sub (int 2) (i32.const 1)) (i32.lt_s (i32.add (local.get $row) (i32.const r)) (int 2)))))))
    (local.set $k (int 3))
    (loop $fours
      (repeat half 2
        (repeat r 4 (local.set $a{r} (v128.load (local.get $p{4*half+r}))))
        ;; The four by four elements change sides.
        (repeat r 2
          (local.set $b{2*r} (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a{2*r}) (local.get $a{2*r+1})))
          (local.set $b{2*r+1} (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a{2*r}) (local.get $a{2*r+1}))))
        (repeat r 2
          (v128.store offset={16*half+64*r} (local.get $to) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $b{r}) (local.get $b{r+2})))
          (v128.store offset={16*half+64*r+32} (local.get $to) (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $b{r}) (local.get $b{r+2})))))
      (repeat r 8 (increase $p{r} (i32.const 16)))
      (increase $to (i32.const 128))
      (br_if $fours (i32.gt_s (local.tee $k (i32.sub (local.get $k) (i32.const 4))) (i32.const 0))))
    (increase $row (i32.const 8))
    (br_if $panels (i32.lt_s (local.get $row) (int 2)))))
