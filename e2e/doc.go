// Package e2e holds the tests of the page and the API in real browsers. They drive a real
// Chromium, and those named Firefox a real Firefox:
//
//	go test ./e2e -run Browser
//
// They need chromium and firefox-esr in the PATH and a model in models/sprites (or, by its
// folder, in UNDERTONE_MODEL). The site is built as `undertone dist` builds it, and served
// by a server that can misbehave.
//
// # What drives the browsers
//
//	chromium_driver_test.go       a tab of a Chromium, by chromedp
//	page_driver_test.go           what a person does with the page in it
//	firefox_driver_test.go        a tab of a Firefox, by WebDriver BiDi
//	scripts_test.go               the JavaScript of the tests, in scripts/
//	site_build_test.go            the sites: with the shipped model, and with small ones
//	large_model_test.go           a model larger than what a tab may hold, made as it is sent
//	scale_browser_test.go         models of published shapes, on a GPU that only counts
//	site_server_test.go           a server that counts, and answers in its own way
//	static_host_test.go           a host for service workers: one version after another
//	gpu_fault_injection_test.go   faults of the GPU, planted in the engine's worker
//	published_model_test.go       models that are published anew, changed or damaged
//
// testdata/hosts holds pages of other people that embed a picture, as generators of
// documentation make them; `make hosts` makes them anew.
//
// A script lies in scripts/page, whose functions are there in every document as the parts
// of the object test; in scripts/before, where a test has it run before the page's own
// scripts; or in scripts/worker, where it runs before the engine's worker.
//
// # Time
//
// Tests that hold the product to a time run alone, one after the other. All others begin
// with t.Parallel and share the machine afterwards. A test uses the shipped model only where
// its size or its words matter; the others use a small one, whose pictures take
// milliseconds.
//
// # What can go wrong with a GPU
//
//	no GPU to be had                     TestBrowserGPURefused, TestBrowserNoWebGPU, gpu.TestOpenFaults
//	nothing but WebGPU's own limits      TestBrowserGPUFloor, gpu.TestOpsFloor
//	lost, with and without an exception  TestBrowserGPULost, gpu.TestDeviceLost
//	the GPU process crashes              TestBrowserGPUCrash
//	no memory for the n-th buffer        TestBrowserGPUMemory, gpu.TestEveryBuffer, networks.ShortOfMemory
//	what a submit costs the CPU          gpu.BenchmarkEncode
//	not a number                         networks.NotNumbers
//	planted bugs                         engine/testing/mutants
//	an error that nobody catches         every test of the GPU
//	the page's own thread                TestBrowserGPUTasks
//	stops, many pictures, hidden, frozen TestBrowserGPUStops, TestBrowserGPUManyPictures
package e2e
