// Command wgpunative gives WGSL files to wgpu-native, whose compiler is an older
// naga: the one that github.com/cogentcore/webgpu brings as a static library. It
// prints what is refused and exits with 1, or with 3 where there is no adapter,
// without which nothing can be compiled. It needs cgo, so only tests build it.
package main

import (
	"fmt"
	"os"

	"github.com/cogentcore/webgpu/wgpu"
)

func main() {
	adapter, err := wgpu.CreateInstance(nil).RequestAdapter(nil)
	if err != nil {
		fmt.Println("no adapter:", err)
		os.Exit(3)
	}
	device, err := adapter.RequestDevice(nil)
	if err != nil {
		fmt.Println("no device:", err)
		os.Exit(3)
	}
	refused := 0
	for _, name := range os.Args[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
		module, err := device.CreateShaderModule(&wgpu.ShaderModuleDescriptor{WGSLDescriptor: &wgpu.ShaderModuleWGSLDescriptor{Code: string(text)}})
		if err != nil {
			refused++
			fmt.Printf("%s: %v\n", name, err)
			continue
		}
		module.Release()
	}
	if refused > 0 {
		os.Exit(1)
	}
}
