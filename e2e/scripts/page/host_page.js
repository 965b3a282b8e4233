// The API as a host page uses it.
{
  let u;
  const progress = [];
  // A request by its name, for those that JSON cannot carry.
  const special = {
    "NaN seed": () => ({ seed: NaN }),
    "infinite cfg": () => ({ cfg: Infinity }),
    "NaN weight": () => ({ guidance: [{ positive: "x", weight: NaN }] }),
    "infinite head": () => ({ guidance: [{ positive: "x", weight: 1, head: -Infinity }] }),
    "NaN in a table": () => ({ guidance: [{ weight: 1, schedule: { kind: "table", table: [1, NaN] } }] }),
    "schedule in itself": () => { const s = { kind: "step" }; s.s = s; return { guidance: [{ weight: 1, schedule: s }] }; },
    "half a character": () => ({ prompt: "half a \ud83d" }),
    aborted: () => ({ signal: AbortSignal.abort() }),
  };

  test.host = {
    async load() {
      const { Undertone } = await test.api();
      u = await Undertone.load("models/sprites/model.json", { device: "webgpu", onProgress: (p) => progress.push(p) });
      return u.info;
    },
    // What the npm package says when it cannot import the API from a folder.
    importFault: async (entry, folder) => (await import(new URL(entry, location.href).href)).importUndertone(folder).then(() => "no error", (error) => error.message),
    async loadInfo(address, options) {
      const v = await (await test.api()).Undertone.load(address, options);
      const { bytes, storage, backend, choice } = v.info;
      v.close();
      return { bytes, storage, backend, choice };
    },
    progress: () => progress,
    async result() {
      const steps = [];
      const r = await u.generate({ prompt: "a blue cat", seed: 3, steps: 2, guidance: [{ positive: "at night", negative: "by day", weight: 2 }],
        onStep: (s) => steps.push({ step: s.step, steps: s.steps, width: s.preview.width }) });
      const blob = await r.blob();
      return { picture: await test.picture(r), parameters: r.parameters, steps, wrong: await test.refused(r.blob("image/jpeg")),
        blob: { type: blob.type, head: (await blob.slice(1, 4).text()) } };
    },
    // Pictures with a direction between two words, among them one that begins at a late block.
    async guidance(positive, negative, lateBlock) {
      const make = async (guidance) => test.picture(await u.generate({ prompt: "the frog", seed: 5, steps: 1, guidance }));
      const term = (weight, schedule) => [{ positive, negative, weight, schedule }];
      return { none: await make(undefined), zero: await make(term(0)), two: await make(term(2)), again: await make(term(2, { kind: "constant" })),
        negative: await make(term(-2)), late: await make(term(2, { kind: "step", start: lateBlock })) };
    },
    // Stops a picture of many steps at its first; what the GPU is given in the time after.
    async stop(watchMs) {
      const stop = new AbortController();
      let at;
      const fault = await test.refused(u.generate({ prompt: "a house", steps: u.info.maxSteps, signal: stop.signal, onStep: (s) => { if (s.step === 1) { at = performance.now(); stop.abort(); } } }));
      const ms = performance.now() - at;
      const submits = await test.submits();
      await test.sleep(watchMs);
      const then = await test.submits();
      return { fault, ms, submits, then, after: await test.picture(await u.generate({ prompt: "a house", steps: 1 })) };
    },
    refusedRequest: (request) => test.refused(u.generate(request)),
    refusedSpecial: (name) => test.refused(u.generate(special[name]())),
    refusedLoad: async (address, options) => test.refused((await test.api()).Undertone.load(address, options)),
    refusedAbortedLoad: (address) => test.host.refusedLoad(address, { signal: AbortSignal.abort() }),
    async busy() {
      const first = u.generate({ prompt: "a heart", steps: 2 });
      const busy = await test.refused(u.generate({ prompt: "a tree" }));
      return { busy, first: await test.picture(await first) };
    },
    async loseDevice() {
      const request = { prompt: "a star", seed: 9, steps: 4 };
      const before = await test.picture(await u.generate(request));
      let lost = false;
      const during = await u.generate({ ...request, onStep: () => { if (!lost) { lost = true; test.channel.postMessage("lose"); } } });
      return { before, during: await test.picture(during), recovered: during.recovered, after: await test.picture(await u.generate(request)) };
    },
    async cpuPicture() {
      const cpu = await (await test.api()).Undertone.load("models/sprites/model.json", { device: "cpu", store: true });
      const { image } = await cpu.generate({ prompt: "the frog at night", seed: 3 });
      return Array.from(image.data).join();
    },
    // Pictures of the GPU and of the CPU, with and without guidance: how far they are apart.
    async compareDevices() {
      const { Undertone } = await test.api();
      const request = { prompt: "the frog at night", seed: 4294967295, steps: 2 };
      const term = { positive: "red", negative: "blue", weight: 0, schedule: { kind: "constant" } };
      const equal = (a, b) => a.image.data.every((x, i) => x === b.image.data[i]);
      const farthest = (a, b) => a.image.data.reduce((most, x, i) => Math.max(most, Math.abs(x - b.image.data[i])), 0);
      const same = {}, made = [];
      for (const device of ["webgpu", "cpu"]) {
        const v = await Undertone.load("models/sprites/model.json", { device });
        if (v.info.backend !== device) throw Error("it is on " + v.info.backend);
        const r = await v.generate(request);
        const two = await v.generate({ ...request, guidance: [{ ...term, weight: 2 }] });
        same[device] = equal(r, await v.generate({ ...request, guidance: [term] })) && !equal(r, two);
        made.push(r, two);
        v.close();
      }
      const apart = Math.max(farthest(made[0], made[2]), farthest(made[1], made[3]));
      return { devices: made.length / 2, apart, same, colours: new Set(new Uint32Array(made[0].image.data.buffer)).size };
    },
    async close() {
      const running = test.refused(u.generate({ prompt: "a fish", steps: u.info.maxSteps }));
      u.close();
      return { running: await running, after: await test.refused(u.generate({ prompt: "a fish" })) };
    },
  };
}
