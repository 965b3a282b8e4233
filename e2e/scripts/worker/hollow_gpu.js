// Runs in the engine's worker before its own script: a GPU that takes what is written to
// it and drops it, and counts. Its limits are those that every device with WebGPU has. With
// hollowSoftware among the global names it says that it is none, but a CPU.
{
  const channel = new BroadcastChannel("hollow gpu");
  let written = 0, writes = 0, bytes = 0, most = 0, buffers = 0, largest = 0;
  channel.onmessage = ({ data }) => {
    if (data === "count") channel.postMessage({ written, writes, bytes, most, buffers, largest });
  };
  // What has no numbers: any method of it, and any part, is it again.
  const nothing = new Proxy(() => {}, { get: (_, name) => (name === "then" || typeof name === "symbol" ? undefined : nothing), apply: () => nothing });
  const features = new Set();
  const limits = {
    maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20, maxStorageBuffersPerShaderStage: 8, maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupSizeX: 256, maxComputeWorkgroupSizeY: 256,
  };
  // The GPU is busy until the event after the next: what is sent meanwhile is held by a browser.
  const later = () => new Promise((done) => setTimeout(done, 0));
  const busy = globalThis.hollowSoftware ? 0.15 : 0; // milliseconds: a CPU takes a time that the browser's clock tells
  const buffer = (size) => {
    bytes += size, buffers++;
    most = Math.max(most, bytes), largest = Math.max(largest, size);
    return {
      size, mapAsync: later, unmap() {},
      getMappedRange: (_, n) => new ArrayBuffer(n ?? size),
      destroy() { bytes -= size, buffers--, size = 0; },
    };
  };
  const queue = {
    submit() {},
    writeBuffer(_, __, data, from = 0, n = data.byteLength - from) { written += n, writes++; },
    onSubmittedWorkDone() {
      for (const end = performance.now() + busy; performance.now() < end; );
      return later();
    },
  };
  const device = {
    queue, features, limits, lost: new Promise(() => {}), addEventListener() {}, removeEventListener() {}, destroy() {},
    pushErrorScope() {}, popErrorScope: async () => null,
    createBuffer: ({ size }) => buffer(size),
    createComputePipelineAsync: async () => nothing,
  };
  for (const name of ["createShaderModule", "createBindGroupLayout", "createPipelineLayout", "createBindGroup", "createCommandEncoder"]) device[name] = () => nothing;
  const adapter = { features, limits, info: { vendor: "none", architecture: globalThis.hollowSoftware ? "swiftshader" : "hollow" }, requestDevice: async () => device };
  Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => adapter } });
}
