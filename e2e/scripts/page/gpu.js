// The page's side of worker/gpu_faults.js, and pictures made while the GPU fails.
{
  const address = "models/sprites/model.json";
  const request = { prompt: "a red frog at night", seed: 5, steps: 3 };
  const longer = { size: 24, steps: 12 };
  const ends = []; // the states in which workers have ended
  let channel;
  const ask = (plan) => new Promise((done) => {
    const id = Math.random(); // it is sent until it is answered, counts once, and is answered for every time
    const answer = ({ data }) => {
      if (data.kind !== "state" || data.id !== id) return;
      clearInterval(again);
      channel.removeEventListener("message", answer);
      done(data);
    };
    channel.addEventListener("message", answer);
    const send = () => channel.postMessage({ kind: "plan", id, plan });
    const again = setInterval(send, 5);
    send();
  });
  const load = async (options) => (await test.api()).Undertone.load(address, { device: "webgpu", ...options });
  // Somebody listens, so that each step is waited for and the GPU's calls are the same every time.
  const generate = async (u, more) => {
    const r = await u.generate({ ...request, onStep: () => {}, ...more });
    return { hash: await test.digest(r.image.data), recovered: r.recovered ?? 0 };
  };
  // Loads with a plan, which reaches the worker before it asks for the GPU.
  const loadWithFault = async (how, at) => {
    const loading = load();
    loading.catch(() => {});
    await fault(how, at);
    return loading;
  };
  // A plan made before the worker is there waits for it.
  const fault = (how, at = -1) => ask({ how, at });
  const state = () => ask();
  // Closes what was loaded, and gives the state in which its worker ends.
  const close = async (u, n = ends.length) => {
    u?.close();
    for (let i = 0; i < 400 && ends.length === n; i++) await test.sleep(5);
    return ends[n];
  };
  let u, whole; // what is loaded, and the hash of its longer picture
  const sameLonger = async (hash) => hash === whole && (await generate(u, longer)).hash === hash;

  test.gpu = {
    fault, state,
    connect() {
      channel = new BroadcastChannel("gpu faults");
      channel.onmessage = ({ data }) => { if (data.kind === "closed") ends.push(data); };
    },
    close: () => close(u),

    // What loading says where no GPU can be had, and after how long.
    async refusal(how) {
      const at = performance.now(), n = ends.length;
      const refused = await test.refused(how ? loadWithFault(how) : load());
      const ms = performance.now() - at;
      if (refused?.code === "device-refused") await close(null, n);
      return { fault: refused, ms };
    },
    // Takes navigator.gpu away, and with secure false a secure context, while f runs.
    async without(secure, f) {
      const { gpu } = navigator;
      Object.defineProperty(navigator, "gpu", { value: undefined, configurable: true });
      if (!secure) Object.defineProperty(globalThis, "isSecureContext", { value: false, configurable: true });
      const result = await f();
      Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
      delete globalThis.isSecureContext;
      return result;
    },
    async loadAndGenerate() {
      const u = await load();
      const { hash } = await generate(u);
      await close(u);
      return hash;
    },

    // Loads; how many calls to the GPU that, the first picture and the next one take.
    async countCalls() {
      u = await loadWithFault("");
      const load = (await state()).calls;
      const { hash } = await generate(u);
      const first = (await state()).calls - load;
      await fault("");
      await generate(u);
      return { hash, load, first, then: (await state()).calls };
    },
    async loseWhileLoading(at) {
      const p = { at };
      const start = performance.now();
      try {
        const u = await loadWithFault("lose", at);
        p.state = await state();
        p.ms = performance.now() - start;
        p.hash = (await generate(u)).hash;
        p.end = await close(u);
      } catch (e) { p.fault = test.fault(e); }
      return p;
    },
    async loseInPicture(how, at) {
      const p = { at };
      await fault(how, at);
      const start = performance.now();
      try { Object.assign(p, await generate(u)); } catch (e) { p.fault = test.fault(e); }
      p.ms = performance.now() - start;
      p.state = await state();
      return p;
    },
    async loseTwice() {
      let started = 0;
      const onStep = (s) => { if (s.step === 1) { started++; test.channel.postMessage("lose"); } };
      const refused = await test.refused(u.generate({ ...request, onStep }));
      return { fault: refused, after: await generate(u), started };
    },

    async loadState() {
      const u = await loadWithFault("");
      const s = await state();
      await close(u);
      return s;
    },
    async starveLoading(how, at, picture) {
      const n = ends.length, p = { at };
      let u;
      try {
        u = await loadWithFault(how, at);
        if (picture) p.hash = (await generate(u)).hash;
      } catch (e) { p.fault = test.fault(e); }
      return { ...p, end: await close(u, n) };
    },
    // Once short of memory, the engine keeps one size only: another one makes everything
    // anew that belongs to a picture.
    async loadForOneSize() {
      u = await load();
      const r = await generate(u);
      await fault("memory", 0);
      await generate(u, { size: 24, prompt: "the cat" });
      return r;
    },
    async starvePicture(how, at) {
      await generate(u, { size: 24, prompt: "the cat" });
      const p = { at };
      await fault(how, at);
      try { p.hash = (await generate(u)).hash; } catch (e) { p.fault = test.fault(e); }
      p.state = await state();
      await fault("");
      await generate(u);
      return p;
    },

    // Loads, and makes a picture of many steps.
    async loadAndGenerateLonger() {
      u = await load();
      whole = (await generate(u, longer)).hash;
    },
    beginLonger() {
      const begun = performance.now();
      test.gpu.running = generate(u, longer).then(({ hash }) => ({ hash, ms: performance.now() - begun }));
    },
    async endLonger() {
      const { hash, ms } = await test.gpu.running;
      return { ms, seen: document.visibilityState, same: await sameLonger(hash) };
    },
    // Stops pictures at different moments, and looks at some whether work goes on afterwards.
    async stop(times) {
      const ms = [];
      let late = 0;
      for (let i = 0; ms.length < times && i < 4 * times; i++) {
        const stop = new AbortController();
        const made = test.refused(u.generate({ ...request, ...longer, signal: stop.signal, onStep: () => {} }));
        await test.sleep(i * 7 % 60);
        const at = performance.now();
        stop.abort();
        if ((await made)?.code !== "aborted") continue;
        ms.push(performance.now() - at);
        if (i % 10) continue;
        const submits = await test.submits();
        await test.sleep(100);
        late += await test.submits() - submits;
      }
      return { ms, late, whole: await sameLonger(whole) };
    },
    // The state before and after pictures with all kinds of words and weights; as many come
    // first, until what is kept for later is there, and Go has the memory it works in.
    async many(pictures) {
      const some = async () => {
        for (let i = 0; i < pictures; i++) {
          await u.generate({ ...request, seed: i, prompt: "a red frog" + " moon".repeat(i % 4), guidance: [{ positive: "sharp", weight: i % 3 }], onStep: () => {} });
        }
      };
      await some();
      const before = await state();
      await some();
      return { before, after: await state() };
    },
    async generatePortable() {
      const u = await loadWithFault("portable");
      const picture = await test.picture(await u.generate({ prompt: "a red car on the beach", seed: 3 }));
      return { picture, features: u.info.features, state: await state() };
    },
  };
}
