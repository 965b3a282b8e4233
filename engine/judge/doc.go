// Package judge says what a picture shows: a small convolutional network that scores the
// pictures of the model it was trained for, such as how likely each object, colour or
// style is. Its weights are an optional part of a model.
package judge
