;; a·b + c, the product rounded by itself.
(define fma (a b c) (f32x4.add c (f32x4.mul a b)))
