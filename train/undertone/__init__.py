"""Training of Undertone's shipped model: data, networks, distillation, export.

The networks here are the reference for the inference engine: every parameter
has the name it has in the exported file, and everything runs in float64 too.
"""
