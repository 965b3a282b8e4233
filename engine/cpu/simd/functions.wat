;; Functions of four numbers. All of them hand on NaN.

(define horner (p x c) (fma p x (four c)))

;; e^x, to a unit or two in the last place: 2^n·e^r with n = round(x/ln 2), so that |r| is at
;; most ln 2/2, and a polynomial for e^r. Beyond ±87 it stays where it is: above 10^-38 and
;; below 10^38. Of pmin and pmax the first operand is the one that may be NaN.
(func $exp (param $x v128) (result v128) (local $n v128) (local $r v128)
  (local.set $x (f32x4.pmax (f32x4.pmin (local.get $x) (four 87.5)) (four -87)))
  (local.set $n (f32x4.nearest (f32x4.mul (local.get $x) (four 1.44269504))))
  ;; ln 2 in two parts, of which the first has few digits: n times it is exact.
  (local.set $r (f32x4.add (local.get $x) (f32x4.mul (local.get $n) (four -0.693359375))))
  (local.set $r (f32x4.add (local.get $r) (f32x4.mul (local.get $n) (four 2.12194440e-4))))
  (f32x4.mul
    (f32x4.add
      (f32x4.mul (f32x4.mul (local.get $r) (local.get $r))
        (horner (horner (horner (horner (horner (four 1.9875691500e-4) (local.get $r) 1.3981999507e-3)
          (local.get $r) 8.3334519073e-3) (local.get $r) 4.1665795894e-2) (local.get $r) 1.6666665459e-1) (local.get $r) 5.0000001201e-1))
      (f32x4.add (local.get $r) (four 1)))
    (i32x4.shl (i32x4.add (i32x4.trunc_sat_f32x4_s (local.get $n)) (v128.const i32x4 127 127 127 127)) (i32.const 23))))

;; x·σ(s·x)
(define sigmoid_linear (x s) (f32x4.div x (f32x4.add (four 1) (call $exp (f32x4.mul x s)))))

;; x·Φ(x), by the fifth approximation of the error function of Abramowitz and Stegun
;; (7.1.26), which is within 1.5·10^-7: Φ(-|x|) = t·p(t)·e^(-x²/2)/2, t = 1/(1 + 0.3275911·|x|/√2).
(func $gelu (param $x v128) (result v128) (local $t v128) (local $tail v128)
  (local.set $t (f32x4.div (four 1) (fma (f32x4.abs (local.get $x)) (four 0.23164189) (four 1))))
  (local.set $tail
    (f32x4.mul (f32x4.mul (four 0.5) (local.get $x))
      (f32x4.mul
        (f32x4.mul (local.get $t)
          (horner (horner (horner (horner (four 1.061405429) (local.get $t) -1.453152027) (local.get $t) 1.421413741) (local.get $t) -0.284496736) (local.get $t) 0.254829592))
        (call $exp (f32x4.mul (f32x4.mul (local.get $x) (local.get $x)) (four -0.5))))))
  (v128.bitselect (f32x4.sub (local.get $x) (local.get $tail)) (local.get $tail) (f32x4.gt (local.get $x) (four 0))))

;; The activations by their numbers in op.Act.
(func $activate (param $act i32) (param $x v128) (result v128)
  (block $clamp3 (block $quick (block $tanh (block $gelu (block $silu (block $relu (block $none
    (br_table $none $relu $silu $gelu $tanh $quick $clamp3 (local.get $act)))
    (return (local.get $x)))
    (return (f32x4.pmax (local.get $x) (four 0))))
    (return (sigmoid_linear (local.get $x) (four -1))))
    (return (call $gelu (local.get $x))))
    ;; x·(1 + tanh u)/2 = x·σ(2u), u = √(2/π)·(x + 0.044715·x³)
    (return (sigmoid_linear (local.get $x)
      (f32x4.mul (four -1.5957691) (fma (f32x4.mul (local.get $x) (local.get $x)) (four 0.044715) (four 1))))))
    (return (sigmoid_linear (local.get $x) (four -1.702))))
  ;; 3·tanh(x/3) = 3 - 6/(e^(2x/3) + 1)
  (f32x4.sub (four 3) (f32x4.div (four 6) (f32x4.add (four 1) (call $exp (f32x4.mul (local.get $x) (four 0.66666667)))))))
