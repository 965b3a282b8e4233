// Counts the bytes of the buffers that each device has, whoever asked for them. Loaded
// before anything asks for a device.
(() => {
  const held = new WeakMap(); // by device
  const owners = new WeakMap(); // by buffer: its device and bytes
  globalThis.gpuBytes = (device) => held.get(device) ?? 0;
  globalThis.gpuDevices = [];
  if (!globalThis.GPUDevice) return;
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    globalThis.gpuDevices.push(device);
    return device;
  };
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    owners.set(buffer, [this, buffer.size]);
    held.set(this, (held.get(this) ?? 0) + buffer.size);
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    const [device, size] = owners.get(this) ?? [];
    if (device) held.set(device, held.get(device) - size);
    owners.delete(this);
    return destroy.call(this);
  };
})();
