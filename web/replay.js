// Replays command lists that Go recorded, so that a submit of any length costs
// one crossing from Go to JavaScript. Loaded before the Go program, by the worker
// and by the test runner alike; engine/gpu is its only caller.
(() => {
  "use strict";

  const WORDS = 5; // pipeline, bind group, workgroups x, y, z: engine/gpu/commands.go

  class Replay {
    constructor(device) {
      this.device = device;
      this.buffers = []; // by the ids that Go gave out
      this.pipelines = [];
    }

    // Writes bytes of Go's memory to a buffer. The view is made here and now: it is
    // detached as soon as Go's memory grows.
    write(id, at, pointer, bytes) {
      const memory = globalThis.wasm.instance.exports.mem.buffer;
      this.device.queue.writeBuffer(this.buffers[id], at, memory, pointer, bytes);
    }

    // A program keeps its own copy of the command list, for the same reason.
    program(words, groups) {
      return { words: new Uint32Array(words), groups };
    }

    // Submits launches [from, to) after the copies, five numbers each: source,
    // byte offset, destination, byte offset, bytes.
    run(program, from, to, ...copies) {
      const encoder = this.device.createCommandEncoder();
      for (let i = 0; i < copies.length; i += 5) {
        encoder.copyBufferToBuffer(this.buffers[copies[i]], copies[i + 1], this.buffers[copies[i + 2]], copies[i + 3], copies[i + 4]);
      }
      if (to > from) {
        const pass = encoder.beginComputePass();
        this.encode(pass, program, from, to);
        pass.end();
      }
      this.device.queue.submit([encoder.finish()]);
    }

    // Runs a program in passes, the launches up to each of ends or every launch in one of
    // its own, and resolves to the nanoseconds that each took. Needs the feature timestamp-query.
    async profile(program, ends = Array.from({ length: program.words.length / WORDS }, (_, i) => i + 1)) {
      const { device } = this;
      const count = ends.length;
      const times = new Float64Array(count);
      const BATCH = 2048; // a query set holds at most 4096 queries
      for (let from = 0; from < count; from += BATCH) {
        const n = Math.min(BATCH, count - from);
        const querySet = device.createQuerySet({ type: "timestamp", count: 2 * n });
        const resolved = device.createBuffer({ size: 16 * n, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
        const staging = device.createBuffer({ size: 16 * n, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
        const encoder = device.createCommandEncoder();
        for (let i = 0; i < n; i++) {
          const pass = encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 } });
          this.encode(pass, program, ends[from + i - 1] ?? 0, ends[from + i]);
          pass.end();
        }
        encoder.resolveQuerySet(querySet, 0, 2 * n, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * n);
        device.queue.submit([encoder.finish()]);
        await staging.mapAsync(GPUMapMode.READ);
        const t = new BigUint64Array(staging.getMappedRange());
        for (let i = 0; i < n; i++) times[from + i] = Number(t[2 * i + 1] - t[2 * i]);
        for (const it of [querySet, resolved, staging]) it.destroy();
      }
      return times;
    }

    encode(pass, program, from, to) {
      const { words, groups } = program;
      let bound = -1;
      for (let i = from * WORDS; i < to * WORDS; i += WORDS) {
        if (words[i] !== bound) {
          bound = words[i];
          pass.setPipeline(this.pipelines[bound]);
        }
        pass.setBindGroup(0, groups[words[i + 1]]);
        pass.dispatchWorkgroups(words[i + 2], words[i + 3], words[i + 4]);
      }
    }
  }

  globalThis.UndertoneReplay = Replay;
})();
