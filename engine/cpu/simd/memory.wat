;; Go's memory. Every kernel takes one number, the address of its arguments there: words
;; of four bytes, addresses among them. Rows begin at any multiple of four bytes; a group
;; of four elements, the last of a row included, may be read and written whole.
(import "go" "mem" (memory 0))

;; The i-th argument.
(define int (i) (i32.load offset={4*i} (local.get $d)))
(define float (i) (f32.load offset={4*i} (local.get $d)))
(define splat (i) (v128.load32_splat offset={4*i} (local.get $d)))

(define increase (name by) (local.set name (i32.add (local.get name) by)))
(define four (x) (v128.const f32x4 x x x x))

;; The first four elements of a row that has n: true where there is one. at counts from 0.
(define within (at n) (i32x4.gt_s (i32x4.splat n) (i32x4.add (i32x4.splat at) (v128.const i32x4 0 1 2 3))))
(define sum (x) (f32.add (f32.add (f32x4.extract_lane 0 x) (f32x4.extract_lane 1 x)) (f32.add (f32x4.extract_lane 2 x) (f32x4.extract_lane 3 x))))
