;; Functions of four numbers. All of them hand on NaN. They are written out where they are
;; used, in loops: there the constants, which a processor has to put together, are made once.

(define horner (p x c) (fma p x (four c)))

;; e^x, to a unit or two in the last place: 2^n·e^r with n = round(x/ln 2), so that |r| is at
;; most ln 2/2, and a polynomial for e^r. Beyond ±87 it stays where it is: above 10^-38 and
;; below 10^38. Of pmin and pmax the first operand is the one that may be NaN.
(define exp_locals () (local $e v128) (local $n v128))
(define exp (x) (block (result v128)
  (local.set $e (f32x4.pmax (f32x4.pmin x (four 87.5)) (four -87)))
  (local.set $n (f32x4.nearest (f32x4.mul (local.get $e) (four 1.44269504))))
  ;; ln 2 in two parts, of which the first has few digits: n times it is exact.
  (local.set $e (f32x4.add (local.get $e) (f32x4.mul (local.get $n) (four -0.693359375))))
  (local.set $e (f32x4.add (local.get $e) (f32x4.mul (local.get $n) (four 2.12194440e-4))))
  (f32x4.mul
    (f32x4.add
      (f32x4.mul (f32x4.mul (local.get $e) (local.get $e))
        (horner (horner (horner (horner (horner (four 1.9875691500e-4) (local.get $e) 1.3981999507e-3)
          (local.get $e) 8.3334519073e-3) (local.get $e) 4.1665795894e-2) (local.get $e) 1.6666665459e-1) (local.get $e) 5.0000001201e-1))
      (f32x4.add (local.get $e) (four 1)))
    ;; 2^n has n + 127 in its exponent: 1.5·2^23 more in the sum leaves n in the last digits.
    (i32x4.shl (i32x4.add (f32x4.add (local.get $n) (four 12582912)) (v128.const i32x4 127 127 127 127)) (i32.const 23)))))

;; x·σ(s·x), with -s for s
(define sigmoid_linear (x s) (f32x4.div x (f32x4.add (four 1) (exp (f32x4.mul x s)))))

;; x·Φ(x), by the fifth approximation of the error function of Abramowitz and Stegun
;; (7.1.26), which is within 1.5·10^-7: Φ(-|x|) = t·p(t)·e^(-x²/2)/2, t = 1/(1 + 0.3275911·|x|/√2).
(define gelu (x) (block (result v128)
  (local.set $t (f32x4.div (four 1) (fma (f32x4.abs x) (four 0.23164189) (four 1))))
  (local.set $tail
    (f32x4.mul (f32x4.mul (four 0.5) x)
      (f32x4.mul
        (f32x4.mul (local.get $t)
          (horner (horner (horner (horner (four 1.061405429) (local.get $t) -1.453152027) (local.get $t) 1.421413741) (local.get $t) -0.284496736) (local.get $t) 0.254829592))
        (exp (f32x4.mul (f32x4.mul x x) (four -0.5))))))
  (v128.bitselect (f32x4.sub x (local.get $tail)) (local.get $tail) (f32x4.gt x (four 0)))))

;; x·(1 + tanh u)/2 = x·σ(2u), u = √(2/π)·(x + 0.044715·x³)
(define gelu_tanh (x)
  (sigmoid_linear x (f32x4.mul (four -1.5957691) (fma (f32x4.mul x x) (four 0.044715) (four 1)))))

;; 3·tanh(x/3) = 3 - 6/(e^(2x/3) + 1)
(define clamp3 (x)
  (f32x4.sub (four 3) (f32x4.div (four 6) (f32x4.add (four 1) (exp (f32x4.mul x (four 0.66666667)))))))

;; The activations of all numbers from x to end, written to out on.
(define activation (name result)
  (func name (param $in i32) (param $out i32) (param $end i32)
    (local $x v128) (exp_locals) (local $t v128) (local $tail v128)
    (loop $all
      (local.set $x (v128.load (local.get $in)))
      (v128.store (local.get $out) result)
      (increase $out (i32.const 16))
      (br_if $all (i32.lt_u (local.tee $in (i32.add (local.get $in) (i32.const 16))) (local.get $end))))))
(activation $none (local.get $x))
(activation $relu (f32x4.pmax (local.get $x) (four 0)))
(activation $silu (sigmoid_linear (local.get $x) (four -1)))
(activation $gelu (gelu (local.get $x)))
(activation $gelu_tanh (gelu_tanh (local.get $x)))
(activation $quick_gelu (sigmoid_linear (local.get $x) (four -1.702)))
(activation $clamp3 (clamp3 (local.get $x)))

;; By their numbers in op.Act.
(define chosen (name) (return (call name (local.get $in) (local.get $out) (local.get $end))))
(func $activate (param $act i32) (param $in i32) (param $out i32) (param $end i32)
  (block $6 (block $5 (block $4 (block $3 (block $2 (block $1 (block $0
    (br_table $0 $1 $2 $3 $4 $5 $6 (local.get $act)))
    (chosen $none)) (chosen $relu)) (chosen $silu)) (chosen $gelu)) (chosen $gelu_tanh)) (chosen $quick_gelu))
  (call $clamp3 (local.get $in) (local.get $out) (local.get $end)))
