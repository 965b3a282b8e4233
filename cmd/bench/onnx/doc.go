// Package onnx writes models as ONNX files (onnx.ai), so that the bench can run the very
// numbers of a bundle in another engine: single operators, and a whole model of the
// shipped kind. The graphs use the fused operators of ONNX Runtime (the domain
// com.microsoft) where there are some, so that nothing is slower there than it must be.
package onnx
