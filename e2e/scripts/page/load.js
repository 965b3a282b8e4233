// Loading models on the CPU, for which nothing differs before the weights are uploaded.
{
  const load = async (address, options) => (await test.api()).Undertone.load(address, { device: "cpu", ...options });
  const loadAndClose = (address, options) => test.refused(load(address, options).then((u) => u.close()));

  test.load = {
    // The fault of loading, or null, and the progress until then.
    async fault(address) {
      const progress = [];
      return { fault: await loadAndClose(address, { onProgress: (p) => progress.push(p) }), progress };
    },
    // Loads several models at the same time.
    several: (addresses) => Promise.all(addresses.map(async (address) => {
      const at = performance.now();
      let retry = 0;
      const fault = await loadAndClose(address, { onProgress: (p) => { retry = Math.max(retry, p.retry ?? 0); } });
      return { fault, retry, ms: performance.now() - at };
    })),
    // Begins to load, and stops at the first bytes of the file whose name begins so.
    async abort(address, file) {
      const stop = new AbortController();
      let begun;
      const arrived = new Promise((done) => { begun = done; });
      const loading = load(address, { signal: stop.signal, onProgress: (p) => { if (p.file?.startsWith(file) && p.done > 0) begun(); } });
      const refused = test.refused(loading);
      await Promise.race([arrived, refused]);
      const at = performance.now();
      stop.abort();
      return { fault: await refused, ms: performance.now() - at };
    },
  };
}
