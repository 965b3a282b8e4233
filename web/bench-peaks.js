// What an adapter can do at most, measured with small programs of its own: multiply-adds
// in f32, f16 and 8-bit integers, memory, and how long an answer takes.

// A thread multiplies and adds into eight vectors of four, which no compiler can leave
// out: factors come from a buffer, and the sums go into one.
const fma = (type, enable) => `${enable}
@group(0) @binding(0) var<storage, read_write> data: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> rounds: vec4<u32>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = vec4<${type}>(data[id.x & 255u]);
  let f = vec4<${type}>(data[256u]);
  var a = x; var b = x + f; var c = x - f; var d = x * f;
  var e = a; var g = b; var h = c; var i = d;
  for (var n = 0u; n < rounds.x; n++) {
${"    a = fma(a, f, x); b = fma(b, f, x); c = fma(c, f, x); d = fma(d, f, x); e = fma(e, f, x); g = fma(g, f, x); h = fma(h, f, x); i = fma(i, f, x);\n".repeat(4)}  }
  let s = vec4<f32>(a + b + c + d + e + g + h + i);
  if (s.x == 12345.0) { data[id.x & 255u] = s; }
}`;

// Eight sums of products of four bytes each.
const dot = `
@group(0) @binding(0) var<storage, read_write> data: array<vec4<u32>>;
@group(0) @binding(1) var<uniform> rounds: vec4<u32>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = data[id.x & 255u];
  var s = vec4<i32>(x); var t = vec4<i32>(data[256u]);
  for (var n = 0u; n < rounds.x; n++) {
${"    s += vec4<i32>(dot4I8Packed(u32(t.x), x.x), dot4I8Packed(u32(t.y), x.y), dot4I8Packed(u32(t.z), x.z), dot4I8Packed(u32(t.w), x.w)); t += vec4<i32>(dot4I8Packed(u32(s.x), x.y), dot4I8Packed(u32(s.y), x.z), dot4I8Packed(u32(s.z), x.w), dot4I8Packed(u32(s.w), x.x));\n".repeat(4)}  }
  if (s.x + t.x == 12345) { data[id.x & 255u] = vec4<u32>(s); }
}`;

const copy = `
@group(0) @binding(0) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  result[id.x] = source[id.x];
}`;

const median = (v) => [...v].sort((a, b) => a - b)[v.length >> 1];

// A device with everything that the measurements use.
async function open(gpu) {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  const wanted = ["shader-f16", "timestamp-query"].filter((f) => adapter.features.has(f));
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  return adapter.requestDevice({ requiredFeatures: wanted, requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
}

// Milliseconds of one dispatch: by timestamps where there are some.
async function timed(device, pipeline, group, workgroups) {
  const stamps = device.features.has("timestamp-query");
  const encoder = device.createCommandEncoder();
  let set, resolved, staging;
  if (stamps) {
    set = device.createQuerySet({ type: "timestamp", count: 2 });
    resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }
  const pass = encoder.beginComputePass(stamps ? { timestampWrites: { querySet: set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } } : {});
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(workgroups);
  pass.end();
  if (stamps) {
    encoder.resolveQuerySet(set, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
  }
  const begin = performance.now();
  device.queue.submit([encoder.finish()]);
  if (!stamps) {
    await device.queue.onSubmittedWorkDone();
    return performance.now() - begin;
  }
  await staging.mapAsync(GPUMapMode.READ);
  const t = new BigUint64Array(staging.getMappedRange());
  const ms = Number(t[1] - t[0]) / 1e6;
  for (const it of [set, resolved, staging]) it.destroy();
  return ms;
}

async function pipelineOf(device, code) {
  return device.createComputePipelineAsync({ layout: "auto", compute: { module: device.createShaderModule({ code }), entryPoint: "main" } });
}

// The most operations a second that a program reaches: its rounds are doubled until it
// takes long enough, which also wakes a GPU that was asleep.
async function most(device, code, operations, fill, software) {
  const pipeline = await pipelineOf(device, code);
  const data = device.createBuffer({ size: 257 * 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(data, 0, fill);
  const rounds = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: data } }, { binding: 1, resource: { buffer: rounds } }] });
  const workgroups = software ? 16 : 16384;
  let n = 1, best = 0;
  for (let ms = 0; ms < 8 && n < 1 << 16; n *= 2) {
    device.queue.writeBuffer(rounds, 0, new Uint32Array([n, 0, 0, 0]));
    ms = await timed(device, pipeline, group, workgroups);
  }
  n /= 2;
  for (let i = 0; i < 9; i++) best = Math.max(best, (workgroups * 256 * n * operations) / (await timed(device, pipeline, group, workgroups)));
  for (const it of [data, rounds]) it.destroy();
  return best / 1e6; // G a second
}

async function memory(device, software) {
  const bytes = software ? 16 << 20 : Math.min(256 << 20, device.limits.maxStorageBufferBindingSize);
  const pipeline = await pipelineOf(device, copy);
  const [to, from] = [0, 1].map(() => device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [to, from].map((buffer, binding) => ({ binding, resource: { buffer } })) });
  let best = 0;
  const workgroups = Math.min(65535, bytes / 4096);
  for (let i = 0; i < 9; i++) best = Math.max(best, (workgroups * 8192) / (await timed(device, pipeline, group, workgroups)));
  for (const it of [to, from]) it.destroy();
  return best / 1e6; // GB/s, read and written
}

// How long an empty submit, four bytes and a dispatch take.
async function waits(device) {
  const pipeline = await pipelineOf(device, copy);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const [to, from] = [0, 1].map(() => device.createBuffer({ size: 4096, usage }));
  const staging = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [to, from].map((buffer, binding) => ({ binding, resource: { buffer } })) });
  const work = (dispatches) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    for (let i = 0; i < dispatches; i++) {
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(1);
    }
    pass.end();
    return encoder;
  };
  const done = [], read = [], many = [];
  for (let i = 0; i < 25; i++) {
    let begin = performance.now();
    device.queue.submit([work(1).finish()]);
    await device.queue.onSubmittedWorkDone();
    done.push(performance.now() - begin);
    begin = performance.now();
    const encoder = work(1);
    encoder.copyBufferToBuffer(to, 0, staging, 0, 4);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    staging.unmap();
    read.push(performance.now() - begin);
  }
  for (let i = 0; i < 7; i++) {
    const begin = performance.now();
    device.queue.submit([work(1000).finish()]);
    await device.queue.onSubmittedWorkDone();
    many.push(performance.now() - begin - median(done));
  }
  for (const it of [to, from, staging]) it.destroy();
  return { roundTripMs: median(done), readMs: median(read), dispatchUs: median(many) };
}

// Measures the adapter: GFLOP/s in f32 and f16, 8-bit operations, GB/s, waits. Each is
// given to tell as soon as it is there; what fails is left out and its reason told.
export async function peaks(gpu, software, tell) {
  const device = await open(gpu);
  const halves = new Float32Array(257 * 4).fill(0.5);
  const bytes = new Uint32Array(257 * 4).fill(0x01020304);
  const all = {};
  const parts = {
    waits: () => waits(device),
    f32: async () => ({ f32: await most(device, fma("f32", ""), 2 * 4 * 8 * 4, halves, software) }),
    f16: async () => (device.features.has("shader-f16") ? { f16: await most(device, fma("f16", "enable f16;"), 2 * 4 * 8 * 4, halves, software) } : {}),
    dot: async () => (gpu.wgslLanguageFeatures?.has("packed_4x8_integer_dot_product") ? { i8: await most(device, dot, 2 * 4 * 8 * 4, bytes, software) } : {}),
    memory: async () => ({ gbps: await memory(device, software) }),
  };
  for (const [name, part] of Object.entries(parts)) {
    try {
      Object.assign(all, await part());
    } catch (error) {
      (all.failed ??= {})[name] = String(error.message ?? error);
    }
    tell(all);
  }
  device.destroy();
  return all;
}
