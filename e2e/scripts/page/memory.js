// How much of the tab's memory a model takes.
{
  let u, running, done, stop, progress;
  const run = (promise) => {
    done = false;
    running = promise.catch((error) => ({ fault: test.fault(error) })).finally(() => { done = true; });
  };

  test.memory = {
    // Loads a model, or the files that were chosen; it is kept unless store is false.
    begin(address, store = true) {
      const source = address ?? { files: document.querySelector("#chosen").files };
      stop = new AbortController();
      progress = undefined;
      run((async () => {
        u = await (await test.api()).Undertone.load(source, { device: "webgpu", store, signal: stop.signal, onProgress: (p) => { progress = p; } });
        return { storage: u.info.storage, bytes: u.info.bytes };
      })());
    },
    end: () => running,
    progress: () => progress ?? null,
    stop() { stop.abort(); return running; },
    close() { u.close(); },
    lose: () => test.channel.postMessage("lose"),
    beginPicture(more = {}) {
      run((async () => {
        const { image, recovered, timings } = await u.generate({ prompt: "a red frog", seed: 5, steps: 1, ...more });
        const colours = new Set(new Uint32Array(image.data.buffer)).size;
        return { hash: await test.digest(image.data), recovered: recovered ?? 0, width: image.width, height: image.height, colours, timings };
      })());
    },
    endPicture: () => running,
    // What the GPU of worker/hollow_gpu.js was given.
    hollow: () => new Promise((done) => {
      const channel = new BroadcastChannel("hollow gpu");
      channel.onmessage = ({ data }) => { channel.close(); done(data); };
      channel.postMessage("count");
    }),
    // Whether what was begun has ended.
    done: () => done,
  };
}
