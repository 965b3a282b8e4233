// One user of the device at a time among the pages and frames of this site: a lock, which a
// frame of the embed holds while it has an engine, and the page while it makes pictures.

const lock = "undertone engine";
const often = 400; // milliseconds between two looks at how many are before
const me = `undertone turn ${Math.random()}`; // a lock of this document alone, by which the browser's list tells who it is
let others; // hears who waits: timers of pages that nobody sees may be a minute late

/** Waits for the turn, and tells how many are before this document. Resolves to what gives the
 * turn back; wanted is called whenever others wait for that. Rejects with the signal's reason.
 * Where the browser refuses locks, everybody has a turn at once. */
export async function turn(signal, before, wanted) {
  let locks;
  try {
    ({ locks } = navigator);
    if (!others) {
      await locks.query();
      others = new BroadcastChannel(lock);
      locks.request(me, { ifAvailable: true }, (mine) => mine && new Promise(() => {}));
    }
  } catch {
    return () => {};
  }
  let waits = true;
  const end = () => ((waits = false), clearInterval(place));
  const place = setInterval(async () => {
    const { held, pending } = await locks.query();
    const { clientId } = held.find(({ name }) => name === me) ?? {};
    const n = pending.filter(({ name }) => name === lock).findIndex((request) => request.clientId === clientId);
    if (!waits || n < 0) return;
    before(n + held.filter(({ name }) => name === lock).length);
    others.postMessage("");
  }, often);
  others.postMessage("");
  return new Promise((resolve, reject) => {
    const hold = () => new Promise((leave) => {
      end();
      others.addEventListener("message", wanted);
      resolve(() => (others.removeEventListener("message", wanted), leave()));
    });
    locks.request(lock, { signal }, hold).catch((error) => (end(), reject(error)));
  });
}
