// outer returns c + x ⊗ y: four rows (x) by four columns (y). Types are those of f32 or f16.
fn outer(c: block, x: operand4, y: operand4) -> block {
    return block(fma(x.xxxx, y, c[0]), fma(x.yyyy, y, c[1]), fma(x.zzzz, y, c[2]), fma(x.wwww, y, c[3]));
}
