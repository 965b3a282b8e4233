// Evaluated in the page by `undertone bench`: makes pictures without guidance,
// with cached and with new directions, interleaved, and returns every timing.
async ({ model, rounds, device }) => {
  const { Undertone } = await import(new URL("./undertone.js", document.baseURI));
  const begin = performance.now();
  const u = await Undertone.load(model, { device });
  const loadMs = performance.now() - begin;
  const term = (positive) => ({ positive, negative: "flat", weight: 1, schedule: { kind: "step", start: 5, of: 57 } });
  const kinds = {
    none: () => [],
    cached: () => [term("ultra-detailed")],
    // Words nobody asked for before, so that their vectors are computed.
    fresh: (round) => [term(`a car number ${round}`)],
  };
  // The words of a prompt are encoded once; a new one each time shows what that costs.
  let pictures = 0;
  const prompt = () => `${u.info.defaults.prompt} ${pictures++}`;
  const runs = { none: [], cached: [], fresh: [] };
  let dispatches = 0;
  for (let round = -1; round < rounds; round++) {
    for (const [kind, guidance] of Object.entries(kinds)) {
      const request = { prompt: prompt(), seed: 1, guidance: guidance(round) };
      const started = performance.now();
      await u.generate(request); // as fast as it goes
      const wallMs = performance.now() - started;
      if (kind === "fresh") {
        request.guidance[0].negative = `a house number ${round}`;
      }
      const r = await u.generate({ ...request, prompt: prompt(), onStep: () => {} }); // each part waited for
      dispatches = r.dispatches;
      if (round >= 0) runs[kind].push({ ...r.timings, wallMs }); // the first round compiles
    }
  }
  const { adapter, backend, software, precision, steps } = u.info;
  u.close();
  return { adapter, backend, software, precision, steps, dispatches, loadMs, runs };
}
