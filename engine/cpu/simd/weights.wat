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

;; Rows of ggml's blocks of 256, as they are stored (see engine/quant), to rows of float32:
;; from · to · blocks.

;; Sixteen signed bytes, quants that share a scale and what is added to the products.
(define store_sixteen ()
  (local.set $h (i16x8.extend_low_i8x16_s (local.get $q)))
  (v128.store (local.get $to) (shifted (i32x4.extend_low_i16x8_s (local.get $h))))
  (v128.store offset=16 (local.get $to) (shifted (i32x4.extend_high_i16x8_s (local.get $h))))
  (local.set $h (i16x8.extend_high_i8x16_s (local.get $q)))
  (v128.store offset=32 (local.get $to) (shifted (i32x4.extend_low_i16x8_s (local.get $h))))
  (v128.store offset=48 (local.get $to) (shifted (i32x4.extend_high_i16x8_s (local.get $h))))
  (increase $to (i32.const 64)))
(define shifted (q) (f32x4.add (f32x4.mul (local.get $scale) (f32x4.convert_i32x4_s q)) (local.get $shift)))

;; The count of a shift is taken modulo the bits of a lane: 4·g is 0 or 4.
(define nibbles (offset by) (v128.and (i8x16.shr_u (v128.load offset (local.get $at)) by) (i8x16.splat (i32.const 15))))
(define byte (offset) (i32.load8_u offset (local.get $at)))

;; d · dmin · 12 bytes of eight pairs of 6 bits · with fifth 1: 32 bytes of fifth bits · nibbles
;; from byte first on. 32 quants share a pair, the low nibbles of 32 bytes before the high ones.
(define pairs_of_scales (name size first fifth)
  (func (export name) (param $d i32)
    (local $from i32) (local $to i32) (local $blocks i32) (local $g i32) (local $at i32) (local $s i32) (local $m i32)
    (local $ds v128) (local $h v128) (local $q v128) (local $scale v128) (local $shift v128)
    (local.set $from (int 0))
    (local.set $to (int 1))
    (local.set $blocks (int 2))
    (loop $all
      (local.set $ds (half (i32x4.extend_low_i16x8_u (v128.load32_zero (local.get $from)))))
      (local.set $g (i32.const 0))
      (loop $groups
        (local.set $at (i32.add (local.get $from) (local.get $g)))
        (if (i32.lt_u (local.get $g) (i32.const 4))
          (then
            (local.set $s (i32.and (byte offset=4) (i32.const 63)))
            (local.set $m (i32.and (byte offset=8) (i32.const 63))))
          (else
            (local.set $s (i32.or (i32.and (byte offset=8) (i32.const 15)) (i32.shl (i32.shr_u (byte offset=0) (i32.const 6)) (i32.const 4))))
            (local.set $m (i32.or (i32.shr_u (byte offset=8) (i32.const 4)) (i32.shl (i32.shr_u (byte offset=4) (i32.const 6)) (i32.const 4))))))
        (local.set $scale (f32x4.splat (f32.mul (f32x4.extract_lane 0 (local.get $ds)) (f32.convert_i32_s (local.get $s)))))
        (local.set $shift (f32x4.splat (f32.neg (f32.mul (f32x4.extract_lane 1 (local.get $ds)) (f32.convert_i32_s (local.get $m))))))
        (local.set $at (i32.add (local.get $from) (i32.shl (i32.shr_u (local.get $g) (i32.const 1)) (i32.const 5))))
        (repeat i 2
          (local.set $q (nibbles offset={first+16*i} (i32.shl (local.get $g) (i32.const 2))))
          (repeat bits fifth
            (local.set $q (v128.or (local.get $q) (i8x16.shl
              (v128.and (i8x16.shr_u (v128.load offset={16+16*i} (local.get $from)) (local.get $g)) (i8x16.splat (i32.const 1)))
              (i32.const 4)))))
          (store_sixteen))
        (br_if $groups (i32.lt_u (local.tee $g (i32.add (local.get $g) (i32.const 1))) (i32.const 8))))
      (increase $from (i32.const size))
      (br_if $all (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1)))))))

(pairs_of_scales "decode_q4_k" 144 16 0)
(pairs_of_scales "decode_q5_k" 176 48 1)

;; 128 bytes of nibbles · 64 bytes of four upper pairs of bits · 16 scales, bytes · d. Of 128
;; quants the first 64 are the low nibbles; 32 share their place in the upper bits.
(func (export "decode_q6_k") (param $d i32)
  (local $from i32) (local $to i32) (local $blocks i32) (local $g i32) (local $at i32)
  (local $ds v128) (local $h v128) (local $q v128) (local $scale v128) (local $shift v128)
  (local.set $from (int 0))
  (local.set $to (int 1))
  (local.set $blocks (int 2))
  (local.set $shift (four -0)) ;; with which a sum is what is added to it, also -0
  (loop $all
    (local.set $ds (half (i32x4.splat (i32.load16_u offset=208 (local.get $from)))))
    (local.set $g (i32.const 0)) ;; of 16 quants, which share a scale
    (loop $groups
      (local.set $scale (f32x4.mul (local.get $ds) (f32x4.splat (f32.convert_i32_s (i32.load8_s offset=192 (i32.add (local.get $from) (local.get $g)))))))
      (local.set $at (i32.add (local.get $from) (i32.shl (i32.and (local.get $g) (i32.const 1)) (i32.const 4))))
      (local.set $q (i8x16.shl
        (v128.and
          (i8x16.shr_u (v128.load offset=128 (i32.add (local.get $at) (i32.shl (i32.and (local.get $g) (i32.const 8)) (i32.const 2)))) (i32.and (local.get $g) (i32.const 6)))
          (i8x16.splat (i32.const 3)))
        (i32.const 4)))
      (local.set $at (i32.add (local.get $at) (i32.or (i32.shl (i32.and (local.get $g) (i32.const 8)) (i32.const 3)) (i32.shl (i32.and (local.get $g) (i32.const 2)) (i32.const 4)))))
      (local.set $q (i8x16.sub (v128.or (local.get $q) (nibbles offset=0 (i32.and (local.get $g) (i32.const 4)))) (i8x16.splat (i32.const 32))))
      (store_sixteen)
      (br_if $groups (i32.lt_u (local.tee $g (i32.add (local.get $g) (i32.const 1))) (i32.const 16))))
    (increase $from (i32.const 210))
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
