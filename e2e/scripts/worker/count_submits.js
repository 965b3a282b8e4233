// Runs in the engine's worker before its own script: counts what is submitted to the GPU,
// and can take the GPU away.
{
  const channel = new BroadcastChannel("test");
  let submits = 0;
  if (globalThis.GPUQueue) {
    const submit = GPUQueue.prototype.submit;
    GPUQueue.prototype.submit = function (list) { submits++; return submit.call(this, list); };
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (d) { return (globalThis.testDevice = await request.call(this, d)); };
  }
  channel.onmessage = ({ data }) => {
    if (data === "count") channel.postMessage({ submits });
    if (data === "lose") globalThis.testDevice.destroy();
  };
}
