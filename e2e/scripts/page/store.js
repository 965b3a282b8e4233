// Models that are kept on this machine.
{
  const ours = async (name) => (await (await navigator.storage.getDirectory()).getDirectoryHandle("undertone")).getDirectoryHandle(name);
  const used = async () => (await (await test.api()).Undertone.storage()).used;
  let progress; // of what is loaded last
  let stop;

  // What lies in the store: [name, length, whether the content has that name].
  const pieces = async () => {
    const list = [];
    try {
      for await (const [name, handle] of (await ours("pieces")).entries()) {
        const bytes = await (await handle.getFile()).arrayBuffer();
        list.push([name, bytes.byteLength, name === await test.digest(bytes)]);
      }
    } catch {}
    return list;
  };

  // Loads a model, which is kept, and makes a picture.
  const keep = async (address, options) => {
    const at = performance.now(), waits = new Set();
    progress = undefined;
    let retry = 0, result;
    const onProgress = (p) => { progress = p; retry = Math.max(retry, p.retry ?? 0); if (p.wait) waits.add(p.wait); };
    try {
      const u = await (await test.api()).Undertone.load(address, { device: "cpu", store: true, onProgress, ...options });
      const { storage, bytes, revision } = u.info;
      const { image } = await u.generate({ prompt: "a frog", steps: 1 });
      u.close();
      result = { storage, bytes, revision, hash: isSecureContext ? await test.digest(image.data) : "" };
    } catch (error) {
      result = { fault: test.fault(error) };
    }
    return { ...result, retry, waits: [...waits], ms: performance.now() - at };
  };

  test.store = {
    pieces, keep,
    storage: async () => (await test.api()).Undertone.storage(),
    persist: async () => (await test.api()).Undertone.persist(),
    remove: async (address) => (await test.api()).Undertone.remove(address),

    // Loads a model onto a GPU, tries to make a picture unless it is told not to, and waits
    // until what is due then is measured.
    async tune(address, options, picture = true) {
      const told = [];
      const u = await (await test.api()).Undertone.load(address, { device: "webgpu", store: true, onTuning: (t) => told.push(t.state), ...options });
      const { plan, tuning } = u.info;
      const fault = picture ? await u.generate({ prompt: "a frog", steps: 1 }).then(() => undefined, test.fault) : undefined;
      const at = performance.now();
      while (picture && ["due", "running"].includes(u.info.tuning?.state)) await test.sleep(20);
      const result = { plan, tuning, told, after: u.info, ms: performance.now() - at, fault };
      u.close();
      return result;
    },
    // What is kept of the measurements, and another text in its place.
    async tuning(text) {
      for await (const handle of (await ours("tuning")).values()) {
        const old = await (await handle.getFile()).text();
        if (text === undefined) return old;
        const file = await handle.createWritable();
        await file.write(text);
        await file.close();
      }
    },

    // keep in two calls, and stopped.
    begin(address) {
      stop = new AbortController();
      test.store.loading = keep(address, { signal: stop.signal });
    },
    end: () => test.store.loading,
    async abort() {
      stop.abort();
      await test.store.loading;
    },
    // Waits until the first bytes of the transformer, and so many bytes of whole pieces, are there.
    async arrived(bytes) {
      while (!(progress?.file?.startsWith("dit") && progress.done > 0)) await test.sleep(5);
      while (await used() < bytes) await test.sleep(5);
    },
    async holds(bytes) {
      while (await used() < bytes) await test.sleep(20);
    },
    // Waits until loading waits for a network.
    async waitsForNetwork() {
      while (progress.wait !== "offline") await test.sleep(20);
    },
    // From now on, notes how long after the network is back the first bytes come.
    watchResume() {
      const { done } = progress;
      test.store.resumed = new Promise((go) => addEventListener("online", async () => {
        const at = performance.now();
        while (progress.done === done) await test.sleep(5);
        go(performance.now() - at);
      }));
    },
    async endResumed() {
      const ms = await test.store.resumed;
      return { ...await test.store.loading, ms };
    },
    // How many bytes lie in pieces that are whole.
    wholeBytes: async () => (await pieces()).filter((p) => p[2]).reduce((sum, p) => sum + p[1], 0),
    // Overwrites a part of the first whole piece, and cuts the second.
    async damagePieces(pieceBytes) {
      let i = 0;
      for (const [name] of (await pieces()).filter((p) => p[1] === pieceBytes).slice(0, 2)) {
        const writable = await (await (await ours("pieces")).getFileHandle(name)).createWritable({ keepExistingData: true });
        if (i++) await writable.truncate(1000);
        else await writable.write({ type: "write", position: 70000, data: new Uint8Array([1, 2, 3]) });
        await writable.close();
      }
    },
    // What persist says for each answer of the browser.
    async persistAnswers() {
      const answers = [];
      for (const answer of [async () => true, async () => false, async () => { throw new TypeError("no"); }]) {
        navigator.storage.persisted = async () => false;
        navigator.storage.persist = answer;
        answers.push(await test.store.persist());
      }
      delete navigator.storage.persist;
      delete navigator.storage.persisted;
      return answers;
    },
    // Opens an address in a sandboxed frame, and waits for what it posts.
    sandboxed: (address) => new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts";
      frame.src = address;
      addEventListener("message", ({ data }) => done(data), { once: true });
      document.body.append(frame);
    }),

    // Deletes the models of every list, whose entries are deleted at the same time, one
    // list after another; null is all models. The messages of what is refused.
    async removeAll(lists) {
      const faults = [];
      for (const addresses of lists) {
        await Promise.all(addresses.map((a) => test.store.remove(a ?? undefined).catch((e) => faults.push(e.message))));
      }
      return faults;
    },
    beginRemoving: (lists) => { test.store.removing = test.store.removeAll(lists); },
    endRemoving: () => test.store.removing,
  };
}
