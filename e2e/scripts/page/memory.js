// How much of the tab's memory a model takes.
{
  let u, running, done;
  const run = (promise) => {
    done = false;
    running = promise.catch((error) => ({ fault: test.fault(error) })).finally(() => { done = true; });
  };

  test.memory = {
    // Loads a model, which is kept.
    begin(address) {
      run((async () => {
        u = await (await test.api()).Undertone.load(address, { store: true });
        return { storage: u.info.storage, bytes: u.info.bytes };
      })());
    },
    end: () => running,
    lose: () => test.channel.postMessage("lose"),
    beginPicture() {
      run((async () => {
        const { image, recovered } = await u.generate({ prompt: "a red frog", seed: 5, steps: 1 });
        return { hash: await test.digest(image.data), recovered: recovered ?? 0 };
      })());
    },
    endPicture: () => running,
    // Whether what was begun has ended.
    done: () => done,
  };
}
