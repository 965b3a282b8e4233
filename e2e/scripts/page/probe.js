// The inside of a picture, by the API and in the page.
test.probe = {
  async generate(device) {
    const u = await (await test.api()).Undertone.load("models/sprites/model.json", { device });
    const request = { prompt: "the red frog at night", seed: 3, steps: 3, guidance: [{ positive: "sharp", negative: "plain", weight: 2, schedule: { kind: "step", start: 3 } }] };
    const plain = await u.generate(request);
    const r = await u.generate({ ...request, probe: {} });
    const one = await u.generate({ ...request, probe: { word: 3 } });
    const p = r.probe, wrong = [];
    for (const probe of [null, "all", { word: 1.5 }, { word: "frog" }, { word: -1 }, { word: 7 }, { word: NaN }]) wrong.push(await test.refused(u.generate({ ...request, probe })));
    u.close();
    return { ...p, attention: Array.from(p.attention), latents: p.latents.map((i) => [i.width, i.height]),
      drawn: new Set(await Promise.all(p.latents.map((i) => test.digest(i.data)))).size,
      plain: await test.picture(plain), probed: await test.picture(r), one: await test.picture(one),
      alone: Array.from(one.probe.attention), timings: r.timings, wrong, known: plain.probe !== undefined, parameterless: !("probe" in r.parameters) };
  },
  // What the view shows.
  async view() {
    const how = document.querySelector(".how"), all = (q) => [...how.querySelectorAll(q)];
    const hash = (c) => test.digest(test.pixels(c));
    const picture = how.querySelector(".over canvas");
    return {
      tokens: all(".token span").map((e) => e.textContent), kinds: all(".token").map((e) => e.dataset.kind),
      rows: all(".maps .block").length, latents: all(".latents canvas").length, parts: all(".times dt").length,
      numbers: all(".numbers tbody td").length, chosen: all(".token :checked").map((e) => e.parentElement.textContent).join("|"),
      caption: how.querySelector(".attention figcaption").textContent, over: await hash(how.querySelector(".overlay")),
      map: await hash(all(".maps canvas").at(-1)), pressed: all(".maps button").findIndex((e) => e.ariaPressed === "true"),
      turn: how.querySelector(".vector figcaption").textContent, percent: all(".share").map((e) => e.textContent).join(" "),
      picture: { width: picture.width, hash: await hash(picture) },
      overflow: document.documentElement.scrollWidth - innerWidth,
    };
  },
};
