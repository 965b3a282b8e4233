// What leaves the choice of a device to the API asks for WebGPU by name.
{
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...more) {
    const body = message?.type === "load" && message.body;
    return post.call(this, body ? { ...message, body: body.replace('"device":"auto"', '"device":"webgpu"') } : message, ...more);
  };
}
