;; a·b + c, rounded once where the processor has such an instruction.
(define fma (a b c) (f32x4.relaxed_madd a b c))
(define fused (tree) tree)
