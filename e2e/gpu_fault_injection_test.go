package e2e

import (
	"strings"
	"testing"
)

// troublePrelude counts what the engine's worker asks of the GPU, and lets one of
// the calls meet trouble. How, as the page's test.trouble(how, at) asks for it:
//
//	"lose"     the device is destroyed before call number at
//	"throw"    the same, and the call throws
//	"memory"   the buffer number at, and with "no memory" every one after it, gets none
//	"refuse"   requestDevice rejects, "born lost" gives a device that is lost already
//	"portable" requestDevice is asked for nothing beyond WebGPU's own limits
const troublePrelude = workerPrelude + `{
  const line = new BroadcastChannel("trouble");
  const zero = () => ({ how: "", at: -1, calls: 0, buffers: 0, met: 0, metAt: 0, where: "", ready: 0 });
  let plan = zero(), latest, alive = 0, bytes = 0, largest = 0, uncaptured = 0, starved = 0;
  const tell = (kind, id) => line.postMessage({ kind, id, ...plan, alive, bytes, largest, uncaptured,
    memory: globalThis.wasm?.instance.exports.mem.buffer.byteLength });
  line.onmessage = ({ data }) => {
    if (data.kind !== "plan") return;
    if (data.plan && data.id !== latest) plan = { ...zero(), ...data.plan };
    latest = data.id;
    tell("state", data.id);
  };
  const end = self.close;
  self.close = () => { tell("closed"); end.call(self); };

  const meet = (where) => { plan.met++; plan.where ||= where; plan.metAt ||= performance.now(); };
  // How long after it met trouble the engine tells that the model is loaded, or loaded again.
  const post = self.postMessage;
  self.postMessage = function (m, ...rest) {
    if (m.type === "loaded" && plan.metAt) plan.ready ||= performance.now() - plan.metAt;
    return post.call(self, m, ...rest);
  };
  for (const [type, names] of [[GPUDevice, ["createBuffer", "createBindGroup", "createComputePipelineAsync"]], [GPUQueue, ["submit", "writeBuffer", "onSubmittedWorkDone"]], [GPUBuffer, ["mapAsync"]]]) {
    for (const name of names) {
      const real = type.prototype[name];
      type.prototype[name] = function (...a) {
        if (plan.calls++ === plan.at && (plan.how === "lose" || plan.how === "throw")) {
          meet(name);
          testDevice.destroy();
          if (plan.how === "throw") throw new DOMException("planted", "OperationError");
        }
        return real.apply(this, a);
      };
    }
  }
  // A buffer without memory is invalid: whatever is done with it fails, too.
  const create = GPUDevice.prototype.createBuffer;
  GPUDevice.prototype.createBuffer = function (d) {
    const n = plan.buffers++;
    if (n === plan.at && plan.how === "memory" || n >= plan.at && plan.how === "no memory") {
      meet(d.label);
      this.pushErrorScope("validation");
      const none = create.call(this, { size: 16, usage: 0 });
      pop.call(this);
      starved++;
      return none;
    }
    const b = create.call(this, d);
    alive++, bytes += d.size, largest = Math.max(largest, d.size);
    b.testBytes = d.size;
    return b;
  };
  const destroy = GPUBuffer.prototype.destroy;
  GPUBuffer.prototype.destroy = function () {
    if (this.testBytes) { alive--; bytes -= this.testBytes; this.testBytes = 0; }
    return destroy.call(this);
  };
  const pop = GPUDevice.prototype.popErrorScope;
  GPUDevice.prototype.popErrorScope = async function () {
    const planted = starved > 0 && starved--;
    const told = await pop.call(this);
    return planted ? new GPUOutOfMemoryError("planted") : told;
  };
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (d) {
    if (plan.how === "refuse") { meet("requestDevice"); throw new DOMException("planted", "OperationError"); }
    const device = await request.call(this, plan.how === "portable" ? {} : d);
    device.addEventListener("uncapturederror", () => uncaptured++);
    if (plan.how === "born lost") { meet("requestDevice"); device.destroy(); }
    return device;
  };
}
`

// troubleHelpers are the page's side of troublePrelude. A plan made before the
// worker is there waits for it.
const troubleHelpers = `
{
  const line = new BroadcastChannel("trouble");
  globalThis.ends = [];
  line.onmessage = ({ data }) => { if (data.kind === "closed") ends.push(data); };
  const ask = (plan) => new Promise((done) => {
    const id = Math.random(); // it is sent until it is answered, counts once, and is answered for every time
    const answer = ({ data }) => {
      if (data.kind !== "state" || data.id !== id) return;
      clearInterval(again);
      line.removeEventListener("message", answer);
      done(data);
    };
    line.addEventListener("message", answer);
    const send = () => line.postMessage({ kind: "plan", id, plan });
    const again = setInterval(send, 5);
    send();
  });
  globalThis.trouble = (how, at = -1, more = {}) => ask({ how, at, ...more });
  globalThis.gpuState = () => ask();
  // Loads with a plan, which reaches the worker before it asks for the GPU.
  globalThis.loadWith = async (how, at, more) => {
    const loading = api.Undertone.load(address, more);
    loading.catch(() => {});
    await trouble(how, at);
    return loading;
  };
  // Closes what was loaded, and gives what its worker has at its end.
  globalThis.ended = async (u, n = ends.length) => {
    u?.close();
    for (let i = 0; i < 400 && ends.length === n; i++) await new Promise((done) => setTimeout(done, 5));
    return ends[n];
  };
}
`

// gpuState is what the worker's GPU has come to.
type gpuState struct {
	Calls, Buffers, Met    int
	Where                  string
	Alive                  int
	Bytes, Largest, Memory float64
	Ready                  float64 // ms
	Uncaptured             int
}

// troubled opens a blank page beside the small or the shipped model, with the API
// and everything that plans trouble.
func troubled(t *testing.T, s *server) *tab {
	t.Helper()
	s.prelude = troublePrelude
	b := open(t, s.URL+"/blank.html", options{script: "if (location.pathname === '/blank.html' || location.pathname === '/') {" + troubleHelpers + "}"})
	b.eval(`
		globalThis.api = await import("/undertone.js");
		globalThis.address = "models/sprites/model.json";
		globalThis.load = (o) => api.Undertone.load(address, o);
		globalThis.frog = { prompt: "a red frog at night", seed: 5, steps: 3 };
		// Somebody listens, so that each step is waited for and the GPU's calls are the same every time.
		globalThis.make = async (u, more) => { const r = await u.generate({ ...frog, onStep: () => {}, ...more }); return { hash: await test.digest(r.image.data), recovered: r.recovered ?? 0 }; };`, nil)
	return b
}

// quiet holds a tab to what no trouble may leave behind: nothing in the console but
// what the test has planted, no error that nobody has caught.
func (b *tab) quiet(t *testing.T) {
	t.Helper()
	for _, c := range b.complaints() {
		if !strings.Contains(c, "planted") {
			t.Errorf("the console has %s", c)
		}
	}
}

// spread gives n numbers from 1 up to below total, evenly, the first and the last
// among them. (Call 0 of a device is what asks whether it was born alive.)
func spread(n, total int) (list []int) {
	for i := range n {
		list = append(list, 1+i*(total-2)/max(n-1, 1))
	}
	return list
}
