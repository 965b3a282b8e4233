// Published files, chosen or by their addresses, on the CPU.
{
  let model;
  const request = { prompt: "a frog", seed: 3, steps: 2 };
  const digestOf = async (size, ablate) => {
    const { image } = await model.generate({ ...request, size, ablate });
    return { hash: await test.digest(image.data), pixels: await test.base64(new Blob([image.data])) };
  };
  // The files at these addresses as Files, under these paths.
  const fetched = (list) => Promise.all(list.map(async ([path, address]) => ({ path, file: new File([await (await fetch(address)).blob()], path.split("/").at(-1)) })));
  const sources = {
    chosen: () => ({ files: document.querySelector("#chosen").files }),
    fetched: async (list) => ({ files: await fetched(list) }),
    remote: (list) => ({ files: list.map(([path, file]) => ({ path, file })) }),
    address: (address) => address,
  };
  const api = async () => (await test.api()).Undertone;

  test.files = {
    // An input with which files, or a folder, are chosen.
    input(folder) {
      document.querySelector("#chosen")?.remove();
      const input = Object.assign(document.createElement("input"), { type: "file", id: "chosen", multiple: true, webkitdirectory: folder });
      document.body.append(input);
    },
    // What a source (a kind and its argument) is said to be, or the fault.
    async describe([kind, value]) {
      try {
        return { described: await (await api()).describe(await sources[kind](value)) };
      } catch (error) {
        return { fault: test.fault(error) };
      }
    },
    // Loads a source, which stays open, and makes a picture of a size.
    // The option ablate is of the picture; an adapter may be a path and an address, of which a File is made.
    async load([kind, value], size, given) {
      try {
        model?.close();
        const stages = new Set(), { ablate, ...options } = given ?? {};
        if (Array.isArray(options.adapter)) options.adapter = (await fetched([options.adapter]))[0].file;
        model = await (await api()).load(await sources[kind](value), { device: "cpu", onProgress: (p) => stages.add(p.stage), ...options });
        const { info, manifest } = model;
        return { info, manifest, stages: [...stages], ...(size ? await digestOf(size, ablate) : {}) };
      } catch (error) {
        return { fault: test.fault(error) };
      }
    },
    // Saves the loaded model into a folder of the origin's own, and reads what is there.
    async save() {
      const root = await navigator.storage.getDirectory(), folder = await root.getDirectoryHandle("bundle", { create: true });
      const stages = new Set(), saved = await model.save(folder, { onProgress: (p) => stages.add(p.stage) });
      const files = {};
      for await (const [name, handle] of folder.entries()) files[name] = await test.base64(await handle.getFile());
      await root.removeEntry("bundle", { recursive: true });
      return { ...saved, stages: [...stages], content: files };
    },
    close: () => { model?.close(); model = undefined; },
    // Counts in test.written what worker/count_writes.js tells from now on.
    countWrites() {
      if (test.written === undefined) new BroadcastChannel("test-writes").onmessage = ({ data }) => { test.written += data; };
      test.written = 0;
    },
    // Loads until so many bytes are there, and stops.
    async interrupt([kind, value], bytes, options) {
      const stop = new AbortController();
      const onProgress = (p) => { if (p.stage === "download" && p.done >= bytes) stop.abort(); };
      return test.refused((await api()).load(await sources[kind](value), { device: "cpu", signal: stop.signal, onProgress, ...options }));
    },
  };
}
