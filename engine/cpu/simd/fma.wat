;; a·b + c, the product rounded by itself. What only fused sums are for is left out.
(define fma (a b c) (f32x4.add c (f32x4.mul a b)))
(define fused (tree))
