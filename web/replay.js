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

    // A program keeps its own copy of the command list: a view of Go's memory
    // would be detached as soon as that memory grows.
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
