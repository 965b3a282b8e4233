/* The element-wise parts of the transformer's training step, each in one pass over memory.
 *
 * On a CPU with bf16 matrix instructions the matrix products are the smaller half of a step; the rest is
 * memory traffic between small tensor operations. Here a row is read once, in bf16, computed in f32 and written once.
 * Every function is parallel over the batch. fused.py builds this file and gives it gradients.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;

static inline float wide(bf16 h) {
    union { uint32_t u; float f; } v = {(uint32_t)h << 16};
    return v.f;
}

static inline bf16 narrow(float f) { /* round to nearest, ties to even */
    union { float f; uint32_t u; } v = {f};
    return (bf16)((v.u + 0x7fff + ((v.u >> 16) & 1)) >> 16);
}

/* exp(x) for x <= 0, relative error about 1e-7; written so that compilers vectorize it. */
static inline float exp_neg(float x) {
    x = x < -87.0f ? -87.0f : x;
    float k = rintf(x * 1.44269504f);
    float r = x - k * 0.693145752f - k * 1.42860677e-6f;
    float p = 1 + r * (1 + r * (0.5f + r * (0.166666667f + r * (0.0416666667f + r * (0.00833333333f + r * 0.00138888889f)))));
    union { uint32_t u; float f; } s = {(uint32_t)((int32_t)k + 127) << 23};
    return p * s.f;
}

/* Normal distribution function and density (Abramowitz and Stegun 7.1.26 for erf, error 1.5e-7). */
static inline float normal(float x, float *density) {
    float a = fabsf(x) * 0.707106781f, t = 1 / (1 + 0.3275911f * a), e = exp_neg(-a * a);
    float tail = 0.5f * e * t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    *density = e * 0.39894228f;
    return x > 0 ? 1 - tail : tail;
}

/* out = layernorm(x) * (1 + scale) + shift.  x [B,S,D] f32; scale, shift [B,D] with row stride ms, bf16; out bf16;
 * stat [B,S,2] receives mean and 1/deviation. */
void ln_mod_fwd(const float *x, const bf16 *shift, const bf16 *scale, long ms, bf16 *out, float *stat, long B, long S, long D) {
#pragma omp parallel for
    for (long b = 0; b < B; b++)
        for (long s = 0; s < S; s++) {
            const float *r = x + (b * S + s) * D;
            bf16 *o = out + (b * S + s) * D;
            float m = 0, v = 0;
            for (long i = 0; i < D; i++) m += r[i];
            m /= D;
            for (long i = 0; i < D; i++) v += (r[i] - m) * (r[i] - m);
            float k = 1 / sqrtf(v / D + 1e-6f);
            stat[(b * S + s) * 2] = m;
            stat[(b * S + s) * 2 + 1] = k;
            const bf16 *sc = scale + b * ms, *sh = shift + b * ms;
            for (long i = 0; i < D; i++) o[i] = narrow((r[i] - m) * k * (1 + wide(sc[i])) + wide(sh[i]));
        }
}

void ln_mod_bwd(const bf16 *g, const float *x, const bf16 *scale, long ms, const float *stat, float *dx, float *dshift,
                float *dscale, long B, long S, long D) {
#pragma omp parallel for
    for (long b = 0; b < B; b++) {
        float *a = dshift + b * D, *c = dscale + b * D;
        const bf16 *sc = scale + b * ms;
        memset(a, 0, D * 4);
        memset(c, 0, D * 4);
        for (long s = 0; s < S; s++) {
            long row = (b * S + s) * D;
            float m = stat[(b * S + s) * 2], k = stat[(b * S + s) * 2 + 1], s1 = 0, s2 = 0;
            for (long i = 0; i < D; i++) {
                float gi = wide(g[row + i]), h = (x[row + i] - m) * k, gs = gi * (1 + wide(sc[i]));
                a[i] += gi;
                c[i] += gi * h;
                s1 += gs;
                s2 += gs * h;
            }
            s1 /= D;
            s2 /= D;
            for (long i = 0; i < D; i++) {
                float h = (x[row + i] - m) * k;
                dx[row + i] = k * (wide(g[row + i]) * (1 + wide(sc[i])) - s1 - h * s2);
            }
        }
    }
}

/* out = x + gate * y.  x, out [B,S,D] f32; y bf16; gate [B,D] bf16 with row stride ms. */
void gate_fwd(const float *x, const bf16 *gate, long ms, const bf16 *y, float *out, long B, long S, long D) {
#pragma omp parallel for
    for (long b = 0; b < B; b++)
        for (long s = 0; s < S; s++) {
            long row = (b * S + s) * D;
            for (long i = 0; i < D; i++) out[row + i] = x[row + i] + wide(gate[b * ms + i]) * wide(y[row + i]);
        }
}

void gate_bwd(const float *g, const bf16 *gate, long ms, const bf16 *y, bf16 *dy, float *dgate, long B, long S, long D) {
#pragma omp parallel for
    for (long b = 0; b < B; b++) {
        memset(dgate + b * D, 0, D * 4);
        for (long s = 0; s < S; s++) {
            long row = (b * S + s) * D;
            for (long i = 0; i < D; i++) {
                dy[row + i] = narrow(g[row + i] * wide(gate[b * ms + i]));
                dgate[b * D + i] += g[row + i] * wide(y[row + i]);
            }
        }
    }
}

/* Rows of q|k|v (H heads of E, row stride rs) -> q, k with RMS norm, scale and rotation, v as it is: each [B,H,T,E] at
 * token off.  cs [T,E/2,2] holds (cos, sin); inv [B,S,2,H] receives 1/rms. */
void rope_fwd(const bf16 *h, long rs, const float *qs, const float *ks, const float *cs, bf16 *q, bf16 *k, bf16 *v,
              float *inv, long B, long S, long H, long E, long off, long T) {
#pragma omp parallel for
    for (long b = 0; b < B; b++)
        for (long s = 0; s < S; s++)
            for (long n = 0; n < H; n++) {
                const bf16 *row = h + (b * S + s) * rs + n * E;
                long to = ((b * H + n) * T + off + s) * E;
                const float *c = cs + (off + s) * E;
                memcpy(v + to, row + 2 * H * E, E * 2);
                for (int part = 0; part < 2; part++) {
                    const bf16 *r = row + part * H * E;
                    const float *w = part ? ks : qs;
                    bf16 *o = (part ? k : q) + to;
                    float m = 0, y[256];
                    for (long i = 0; i < E; i++) m += wide(r[i]) * wide(r[i]);
                    m = 1 / sqrtf(m / E + 1e-6f);
                    inv[((b * S + s) * 2 + part) * H + n] = m;
                    for (long i = 0; i < E; i++) y[i] = wide(r[i]) * m * w[i];
                    for (long i = 0; i < E; i += 2) {
                        o[i] = narrow(y[i] * c[i] - y[i + 1] * c[i + 1]);
                        o[i + 1] = narrow(y[i] * c[i + 1] + y[i + 1] * c[i]);
                    }
                }
            }
}

/* dw [B,2,E]: gradients of the two scales, to be summed over B. dh has row stride ds. */
void rope_bwd(const bf16 *dq, const bf16 *dk, const bf16 *dv, const bf16 *h, long rs, const float *qs, const float *ks,
              const float *cs, const float *inv, bf16 *dh, long ds, float *dw, long B, long S, long H, long E, long off, long T) {
#pragma omp parallel for
    for (long b = 0; b < B; b++) {
        memset(dw + b * 2 * E, 0, 2 * E * 4);
        for (long s = 0; s < S; s++)
            for (long n = 0; n < H; n++) {
                const bf16 *row = h + (b * S + s) * rs + n * E;
                bf16 *out = dh + (b * S + s) * ds + n * E;
                long from = ((b * H + n) * T + off + s) * E;
                const float *c = cs + (off + s) * E;
                memcpy(out + 2 * H * E, dv + from, E * 2);
                for (int part = 0; part < 2; part++) {
                    const bf16 *r = row + part * H * E, *g = (part ? dk : dq) + from;
                    const float *w = part ? ks : qs;
                    float *a = dw + (b * 2 + part) * E, y[256], dot = 0;
                    float m = inv[((b * S + s) * 2 + part) * H + n];
                    for (long i = 0; i < E; i += 2) {
                        float u = wide(g[i]), t = wide(g[i + 1]);
                        y[i] = u * c[i] + t * c[i + 1];
                        y[i + 1] = t * c[i] - u * c[i + 1];
                    }
                    for (long i = 0; i < E; i++) {
                        float x = wide(r[i]) * m;
                        a[i] += y[i] * x;
                        y[i] *= w[i];
                        dot += y[i] * x;
                    }
                    dot /= E;
                    for (long i = 0; i < E; i++) out[part * H * E + i] = narrow(m * (y[i] - wide(r[i]) * m * dot));
                }
            }
    }
}

/* [B,H,T,E] at token off <-> rows [B,S,H*E] with row stride rs. */
void merge(const bf16 *o, bf16 *rows, long rs, long B, long S, long H, long E, long off, long T, int back) {
#pragma omp parallel for
    for (long b = 0; b < B; b++)
        for (long s = 0; s < S; s++)
            for (long n = 0; n < H; n++) {
                bf16 *r = rows + (b * S + s) * rs + n * E, *h = (bf16 *)o + ((b * H + n) * T + off + s) * E;
                memcpy(back ? h : r, back ? r : h, E * 2);
            }
}

/* Softmax of scale * x over rows of n, in place. */
void softmax_fwd(bf16 *x, long rows, long n, float scale) {
#pragma omp parallel for
    for (long r = 0; r < rows; r++) {
        bf16 *p = x + r * n;
        float m = -INFINITY, s = 0, y[4096];
        for (long i = 0; i < n; i++) m = fmaxf(m, wide(p[i]));
        for (long i = 0; i < n; i++) {
            y[i] = exp_neg((wide(p[i]) - m) * scale);
            s += y[i];
        }
        s = 1 / s;
        for (long i = 0; i < n; i++) p[i] = narrow(y[i] * s);
    }
}

/* g becomes scale * p * (g - sum(g p)). */
void softmax_bwd(const bf16 *p, bf16 *g, long rows, long n, float scale) {
#pragma omp parallel for
    for (long r = 0; r < rows; r++) {
        const bf16 *a = p + r * n;
        bf16 *d = g + r * n;
        float s = 0;
        for (long i = 0; i < n; i++) s += wide(a[i]) * wide(d[i]);
        for (long i = 0; i < n; i++) d[i] = narrow(scale * wide(a[i]) * (wide(d[i]) - s));
    }
}

/* Exact GELU of rows of m with strides; the gradient needs the input only. */
void gelu_fwd(const bf16 *x, long xs, bf16 *y, long ys, long rows, long m) {
#pragma omp parallel for
    for (long r = 0; r < rows; r++)
        for (long i = 0; i < m; i++) {
            float v = wide(x[r * xs + i]), d;
            y[r * ys + i] = narrow(v * normal(v, &d));
        }
}

void gelu_bwd(const bf16 *x, long xs, const bf16 *g, long gs, bf16 *dx, long ds, long rows, long m) {
#pragma omp parallel for
    for (long r = 0; r < rows; r++)
        for (long i = 0; i < m; i++) {
            float v = wide(x[r * xs + i]), d, p = normal(v, &d);
            dx[r * ds + i] = narrow(wide(g[r * gs + i]) * (p + v * d));
        }
}

double square_sum(const float *g, long n) {
    double s = 0;
#pragma omp parallel for reduction(+ : s) if (n > 65536)
    for (long k = 0; k < (n + 4095) / 4096; k++) {
        float a = 0;
        for (long i = k * 4096; i < n && i < (k + 1) * 4096; i++) a += g[i] * g[i];
        s += a;
    }
    return s;
}

/* One step of Adam and of the moving average of the weights. gs: factor on the gradient (clipping);
 * rate: lr / (1 - b1^t); c2: 1 / (1 - b2^t). */
void adam(float *p, float *m, float *v, float *ema, const float *g, long n, float gs, float rate, float b1, float b2,
          float c2, float eps, float decay) {
#pragma omp parallel for if (n > 65536)
    for (long i = 0; i < n; i++) {
        float a = g[i] * gs;
        m[i] = b1 * m[i] + (1 - b1) * a;
        v[i] = b2 * v[i] + (1 - b2) * a * a;
        p[i] -= rate * m[i] / (sqrtf(v[i] * c2) + eps);
        ema[i] = decay * ema[i] + (1 - decay) * p[i];
    }
}
