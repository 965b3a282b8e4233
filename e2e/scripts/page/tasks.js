// How busy the page's own thread is.
{
  const tasks = [], gaps = [];
  let observer;
  test.tasks = {
    // Notes tasks of over 50 ms, and how long messages wait.
    watch() {
      observer = new PerformanceObserver((list) => { for (const e of list.getEntries()) tasks.push(e.duration); });
      observer.observe({ type: "longtask" });
      const beat = new MessageChannel();
      let last = performance.now();
      beat.port1.onmessage = () => {
        const now = performance.now();
        gaps.push(now - last);
        last = now;
        setTimeout(() => { last = performance.now(); beat.port2.postMessage(0); }, 5);
      };
      beat.port2.postMessage(0);
    },
    seen() {
      for (const e of observer.takeRecords()) tasks.push(e.duration);
      return { tasks, gaps };
    },
  };
}
