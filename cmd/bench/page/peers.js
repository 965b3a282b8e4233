// The others' kernels: each a contender (turns.js) for a row of the bench.

// The numbers that all compute with are of this kind; times do not depend on them.
function numbers(n, scale = 1) {
  const out = new Float32Array(n);
  let seed = 1;
  for (let i = 0; i < n; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    out[i] = ((seed >>> 8) / 2 ** 23 - 1) * scale;
  }
  return out;
}

const script = (address) =>
  new Promise((done, failed) => {
    const e = document.createElement("script");
    Object.assign(e, { src: address, onload: done, onerror: () => failed(new Error(`${address} did not load`)) });
    document.head.append(e);
  });

let started; // {ort, jax, tf, failed}

/** Loads the others; those that do not start are told. */
export async function start() {
  if (started) return started;
  started = { failed: [] };
  const parts = {
    async ort() {
      const ort = await import("/peers/onnxruntime-web/dist/ort.webgpu.min.mjs");
      Object.assign(ort.env.wasm, { wasmPaths: "/peers/onnxruntime-web/dist/", numThreads: 1 });
      return ort;
    },
    async jax() {
      const jax = await import("/peers/@jax-js/jax/dist/index.js");
      if (!(await jax.init("webgpu")).includes("webgpu")) throw new Error("jax-js has no WebGPU here");
      jax.defaultDevice("webgpu");
      return jax;
    },
    async tf() {
      await script("/peers/@tensorflow/tfjs/dist/tf.min.js");
      await script("/peers/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js");
      if (!(await globalThis.tf.setBackend("webgpu"))) throw new Error("tfjs has no WebGPU here");
      await globalThis.tf.ready();
      return globalThis.tf;
    },
  };
  for (const [name, load] of Object.entries(parts)) {
    try {
      started[name] = await load();
    } catch (error) {
      started.failed.push({ part: name, error: String(error?.message ?? error) });
    }
  }
  return started;
}

// An ONNX file of one operator on onnxruntime-web, with what it reads in the GPU's memory.
async function onnx(ort, name, row, feeds) {
  const session = await ort.InferenceSession.create(`/onnx/kernel?row=${encodeURIComponent(JSON.stringify(row))}`, { executionProviders: ["webgpu"], preferredOutputLocation: "gpu-buffer" });
  const device = await ort.env.webgpu.device;
  const buffers = [];
  const given = {};
  for (const [input, [data, dims]] of Object.entries(feeds)) {
    const buffer = device.createBuffer({ size: data.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
    device.queue.writeBuffer(buffer, 0, data);
    buffers.push(buffer);
    given[input] = ort.Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims });
  }
  return {
    name,
    async run(times) {
      for (let i = 0; i < times; i++) (await session.run(given)).y.dispose();
      await device.queue.onSubmittedWorkDone();
    },
    async result() {
      const { y } = await session.run(given);
      const data = (await y.getData(true)).slice();
      return data;
    },
    async end() {
      await session.release();
      for (const b of buffers) b.destroy();
    },
  };
}

// A function of arrays, compiled by jax-js.
async function jitted({ jax }, args, f) {
  const np = jax.numpy;
  const arrays = args.map(([data, shape]) => np.array(data, { shape }).reshape(shape));
  await jax.blockUntilReady(arrays);
  const compiled = jax.jit((...x) => f(jax, np, ...x));
  return {
    name: "jaxjs",
    async run(times) {
      for (let i = 0; i < times; i++) {
        const y = compiled(...arrays.map((x) => x.ref));
        await y.blockUntilReady();
        y.dispose();
      }
    },
    end: () => arrays.forEach((x) => x.dispose()),
  };
}

// A function of tensors on tfjs.
async function tensors({ tf }, args, f) {
  const all = args.map(([data, shape]) => tf.tensor(data, shape));
  const backend = tf.backend();
  return {
    name: "tfjs",
    async run(times) {
      for (let i = 0; i < times; i++) {
        const y = tf.tidy(() => f(tf, ...all));
        backend.endComputePassEncoder();
        backend.submitQueue();
        await backend.device.queue.onSubmittedWorkDone();
        y.dispose();
      }
    },
    end: () => all.forEach((x) => x.dispose()),
  };
}

/** The others' contenders for a row, those that the others have of its kind and type, each
 * behind a function that makes it: names begin with ort, jaxjs or tfjs. */
export function contenders(peers, row) {
  const { ort } = peers;
  const out = [];
  const add = (name, has, make) => has && out.push({ name, make });
  const plain = row.DType === "F32";
  if (row.op === "MatMul") {
    const { M, N, K } = row;
    const x = [numbers(M * K), [M, K]];
    const w = () => [numbers(K * N, K ** -0.5), [K, N]];
    const kernel = (name, more = {}) => add(name, ort, () => onnx(ort, name, { Op: row.op, DType: row.DType, M, N, K, ...more }, { x }));
    if (plain) kernel("ort MatMul");
    else for (const Accuracy of [0, 4]) kernel(`ort MatMulNBits, accuracy ${Accuracy}`, { Accuracy });
    add("jaxjs", plain && peers.jax, () => jitted(peers, [x, w()], (jax, np, a, b) => np.matmul(a, b)));
    add("tfjs", plain && peers.tf, () => tensors(peers, [x, w()], (tf, a, b) => tf.matMul(a, b)));
  } else if (row.op === "Attention") {
    const { Rows, Heads, D } = row;
    const qkv = ["q", "k", "v"].map(() => numbers(Rows * Heads * D));
    const feeds = { q: [qkv[0], [1, Rows, Heads * D]], k: [qkv[1], [1, Rows, Heads * D]], v: [qkv[2], [1, Rows, Heads * D]] };
    for (const Plain of [false, true]) {
      const name = Plain ? "ort MatMul, Softmax, MatMul" : "ort MultiHeadAttention";
      add(name, ort, () => onnx(ort, name, { Op: row.op, Rows, Heads, D, Plain }, feeds));
    }
    add("jaxjs", peers.jax, () => jitted(peers, qkv.map((x) => [x, [1, Rows, Heads, D]]), (jax, np, q, k, v) => jax.nn.dotProductAttention(q, k, v)));
    add("tfjs", peers.tf, () => tensors(peers, qkv.map((x) => [x, [Heads, Rows, D]]), (tf, q, k, v) => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), D ** -0.5)), v)));
  } else if (row.op === "Conv3x3") {
    const { H, W, Cin, Cout } = row;
    const x = numbers(H * W * Cin);
    const w = numbers(9 * Cin * Cout, (9 * Cin) ** -0.5);
    add("ort Conv", ort, () => onnx(ort, "ort Conv", { Op: row.op, H, W, Cin, Cout }, { x: [x, [1, Cin, H, W]] }));
    add("jaxjs", peers.jax, () => jitted(peers, [[x, [1, Cin, H, W]], [w, [Cout, Cin, 3, 3]]], (jax, np, a, b) => jax.lax.conv(a, b, [1, 1], "SAME")));
    add("tfjs", peers.tf, () => tensors(peers, [[x, [1, H, W, Cin]], [w, [3, 3, Cin, Cout]]], (tf, a, b) => tf.conv2d(a, b, 1, "same")));
  }
  return out;
}
