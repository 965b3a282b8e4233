// What is measured beside something else takes turns with it: in each round every
// contender runs once, in the next in the other order.
//
// A contender is {name, run(times), end?()}; run resolves when the work is done.
import { median } from "../web/bench.js";

/** Least and most, as shares of the median. */
export const spread = (v) => (v.length ? (Math.max(...v) - Math.min(...v)) / median(v) : 0);

/** Clock of milliseconds: {cpu, wall} of run, cpu null where the system does not tell. */
export async function timed(clock, run) {
  const begin = await clock();
  const from = performance.now();
  await run();
  const wall = performance.now() - from;
  const end = await clock();
  return { wall, cpu: begin.cpuMs === null || end.cpuMs === null ? null : end.cpuMs - begin.cpuMs };
}

/** Measures contenders in turns. Each measurement is of as many runs as take enough
 * milliseconds together; with 0, of one, and of what ran before.
 * @returns by name: {ms, least, most, spread, cpu_ms, wall_ms, times} or {error};
 *   ms is by the clock that is asked for, "cpu" or "wall", or by the one there is */
export async function turns(contenders, { rounds, clock, by, enough }) {
  const results = {};
  const live = [];
  for (const c of contenders) {
    try {
      let times = 1;
      if (enough > 0) {
        await c.run(1); // compiles
        const first = await timed(clock, () => c.run(1));
        const took = by === "cpu" && first.cpu !== null ? first.cpu : first.wall;
        times = Math.max(1, Math.min(64, Math.ceil(enough / Math.max(took, 1e-3))));
      }
      live.push({ ...c, times, cpu: [], wall: [] });
    } catch (error) {
      results[c.name] = { error: String(error?.message ?? error) };
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const c of round % 2 ? [...live].reverse() : live) {
      const t = await timed(clock, () => c.run(c.times));
      c.wall.push(t.wall / c.times);
      if (t.cpu !== null) c.cpu.push(t.cpu / c.times);
    }
  }
  for (const c of contenders) await c.end?.();
  for (const c of live) {
    const v = by === "cpu" && c.cpu.length ? c.cpu : c.wall;
    results[c.name] = {
      ms: median(v), least: Math.min(...v), most: Math.max(...v), spread: spread(v), times: c.times,
      cpu_ms: c.cpu.length ? median(c.cpu) : null, wall_ms: median(c.wall),
    };
  }
  return results;
}

/** The fastest of some results that begin with a name, and what it is called. */
export function best(results, prefix) {
  let found = null;
  for (const [name, r] of Object.entries(results)) {
    if (name.startsWith(prefix) && !r.error && !r.wrong && (!found || r.ms < found.ms)) found = { name, ...r };
  }
  return found;
}
