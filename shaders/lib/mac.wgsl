// mac returns a + m·x, one fused multiply-add per column: written as a + m * x
// the product would be formed first and cost one instruction more in five. Types are
// those of f32 or f16.
fn mac(a: operand4, m: block, x: operand4) -> operand4 {
    return fma(m[3], operand4(x.w), fma(m[2], operand4(x.z), fma(m[1], operand4(x.y), fma(m[0], operand4(x.x), a))));
}

// mac4 returns a + m·x for the four columns of x.
fn mac4(a: block, m: block, x: block) -> block {
    return block(mac(a[0], m, x[0]), mac(a[1], m, x[1]), mac(a[2], m, x[2]), mac(a[3], m, x[3]));
}
