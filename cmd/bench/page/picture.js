// The shipped model on onnxruntime-web: its parts as ONNX files, and a picture made of them.

/** What the model's parts read for a picture. */
export async function inputs(prompt, seed) {
  const response = await fetch(`/inputs?prompt=${encodeURIComponent(prompt)}&seed=${seed}`);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

export class Pictures {
  /** weights: "f32" or "blocks"; accuracy: of products with blocks. */
  static async load(ort, { provider, weights = "f32", accuracy = 0 }) {
    const gpu = provider === "webgpu";
    const part = async (name, outputs) => {
      const response = await fetch(`/onnx/model?part=${name}&weights=${weights}&accuracy=${accuracy}`);
      if (!response.ok) throw new Error(await response.text());
      const where = gpu && outputs ? { preferredOutputLocation: Object.fromEntries(outputs.map((o) => [o, "gpu-buffer"])) } : {};
      return ort.InferenceSession.create(new Uint8Array(await response.arrayBuffer()), { executionProviders: [provider], graphOptimizationLevel: "all", ...where });
    };
    const all = new Pictures();
    Object.assign(all, { ort, text: await part("text", ["txt", "psi"]), step: await part("step", ["next"]), decode: await part("decode") });
    return all;
  }

  /** A picture's bytes, RGBA. */
  async make({ ids, eos, latent, times, dts, rows, channels }) {
    const floats = (data, dims) => new this.ort.Tensor("float32", Float32Array.from(data), dims);
    const { txt, psi } = await this.text.run({
      ids: new this.ort.Tensor("int32", Int32Array.from(ids), [ids.length]), eos: new this.ort.Tensor("int32", Int32Array.of(eos), [1]),
    });
    let at = floats(latent, [rows, channels]);
    for (const [k, dt] of dts.entries()) {
      const { next } = await this.step.run({ latent: at, txt, psi, time: floats(times[k], [1, times[k].length]), dt: floats([dt], [1]) });
      at.dispose();
      at = next;
    }
    const { rgb } = await this.decode.run({ latent: at });
    for (const t of [at, txt, psi]) t.dispose();
    const pixels = rgb.data.length / 3;
    const out = new Uint8ClampedArray(4 * pixels).fill(255);
    for (let c = 0; c < 3; c++) for (let i = 0; i < pixels; i++) out[4 * i + c] = rgb.data[c * pixels + i];
    return out;
  }

  async release() {
    for (const session of [this.text, this.step, this.decode]) await session.release();
  }
}
