// Runs in the engine's worker after count_submits.js: counts what is asked of the GPU, and
// lets one of the calls fail. How, as page/gpu.js asks for it:
//
//   "lose"       the device is destroyed before call number at
//   "throw"      the same, and the call throws
//   "memory"     the buffer number at gets no memory, with "no memory" every one after it too
//   "refuse"     requestDevice rejects
//   "born lost"  requestDevice gives a device that is lost already
//   "portable"   requestDevice is asked for nothing beyond WebGPU's own limits
{
  const channel = new BroadcastChannel("gpu faults");
  const none = () => ({ how: "", at: -1, calls: 0, buffers: 0, met: 0, metAt: 0, where: "", ready: 0 });
  let plan = none(), latest, alive = 0, bytes = 0, largest = 0, uncaptured = 0, starved = 0;
  const tell = (kind, id) => channel.postMessage({ kind, id, ...plan, alive, bytes, largest, uncaptured,
    memory: globalThis.wasm?.instance.exports.mem.buffer.byteLength });
  channel.onmessage = ({ data }) => {
    if (data.kind !== "plan") return;
    if (data.plan && data.id !== latest) plan = { ...none(), ...data.plan };
    latest = data.id;
    tell("state", data.id);
  };
  const end = self.close;
  self.close = () => { tell("closed"); end.call(self); };

  const meet = (where) => { plan.met++; plan.where ||= where; plan.metAt ||= performance.now(); };
  // How long after the fault the engine tells that the model is loaded, or loaded again.
  const post = self.postMessage;
  self.postMessage = function (m, ...rest) {
    if (m.type === "loaded" && plan.metAt) plan.ready ||= performance.now() - plan.metAt;
    return post.call(self, m, ...rest);
  };
  for (const [type, names] of [[GPUDevice, ["createBuffer", "createBindGroup", "createComputePipelineAsync"]], [GPUQueue, ["submit", "writeBuffer", "onSubmittedWorkDone"]], [GPUBuffer, ["mapAsync"]]]) {
    for (const name of names) {
      const real = type.prototype[name];
      type.prototype[name] = function (...a) {
        if (plan.calls++ === plan.at && (plan.how === "lose" || plan.how === "throw")) {
          meet(name);
          testDevice.destroy();
          if (plan.how === "throw") throw new DOMException("planted", "OperationError");
        }
        return real.apply(this, a);
      };
    }
  }
  // A buffer without memory is invalid: whatever is done with it fails, too.
  const create = GPUDevice.prototype.createBuffer;
  GPUDevice.prototype.createBuffer = function (d) {
    const n = plan.buffers++;
    if (n === plan.at && plan.how === "memory" || n >= plan.at && plan.how === "no memory") {
      meet(d.label);
      this.pushErrorScope("validation");
      const invalid = create.call(this, { size: 16, usage: 0 });
      pop.call(this);
      starved++;
      return invalid;
    }
    const b = create.call(this, d);
    alive++, bytes += d.size, largest = Math.max(largest, d.size);
    b.testBytes = d.size;
    return b;
  };
  const destroy = GPUBuffer.prototype.destroy;
  GPUBuffer.prototype.destroy = function () {
    if (this.testBytes) { alive--; bytes -= this.testBytes; this.testBytes = 0; }
    return destroy.call(this);
  };
  const pop = GPUDevice.prototype.popErrorScope;
  GPUDevice.prototype.popErrorScope = async function () {
    const planted = starved > 0 && starved--;
    const told = await pop.call(this);
    return planted ? new GPUOutOfMemoryError("planted") : told;
  };
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (d) {
    if (plan.how === "refuse") { meet("requestDevice"); throw new DOMException("planted", "OperationError"); }
    const device = await request.call(this, plan.how === "portable" ? {} : d);
    device.addEventListener("uncapturederror", () => uncaptured++);
    if (plan.how === "born lost") { meet("requestDevice"); device.destroy(); }
    return device;
  };
}
